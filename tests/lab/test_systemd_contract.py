"""The contract of a runtime with systemd as the keeper: the same suite as on this machine, run on a server."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from tests.lab.bare_server import bare_server
from tests.lab.fixtures import Lab
from tests.lab.harbor import give_uv

ROOT = Path(__file__).parents[2]
SENT = ("src/shipway", "tests/__init__.py", "tests/contract", "pyproject.toml")
SUITE = ("tests/contract/test_runtime.py", "tests/contract/test_kept.py")
NEEDED = ("pytest", "django>=5.2,<5.3", "gunicorn>=23", "supervisor>=4.2.5", "pyyaml", "click", "rich")
RUN = """\
cd /opt/suite && tar -x && uv venv -q .venv && uv pip install -q --python .venv/bin/python "$@" || exit 9
"""


def test_the_contract_holds_with_systemd(lab: Lab, tmp_path: Path) -> None:
    with bare_server(lab, tmp_path, 24) as operator:
        host = operator.host
        give_uv(lab, host)
        assert host.run("mkdir", "/opt/suite").status == 0
        made = host.run("sh", "-c", RUN, "sh", *NEEDED, stdin=_sources(), limit_s=300)
        assert made.status == 0, made.out + made.err
        words = ("SHIPWAY_TEST_KEEPER=systemd", "PYTHONPATH=src", ".venv/bin/python", "-m", "pytest", "-q", *SUITE)
        done = host.run("env", "-C", "/opt/suite", *words, limit_s=600)
        assert done.status == 0, done.out[-8000:] + done.err[-2000:]
        assert host.run("sh", "-c", "ls -R /etc/systemd/system | grep ^shipway-").out == "", "nothing is left"


def _sources() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in SENT:
            if (ROOT / name).exists():
                archive.add(ROOT / name, name, filter=lambda info: None if "__pycache__" in info.name else info)
    return packed.getvalue()
