"""A project in git on this machine, with this machine as its only host."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipway.cli.main import main
from shipway.core.record import Record, render_lines
from tests.sites import ended

SECRET = "s3cr3t-pa$$ word'\"\\é-of-the-shop"
DEPLOY_YML = """\
service: shop
runtime: venv
transport: local
state_directory: {state}
servers:
  web: {{hosts: [here]}}
  worker: {{hosts: [here], cmd: python manage.py worker}}
proxy: {{host: shop.example.org, run: {{http_port: 18080}}}}
env:
  clear: {{LOG_LEVEL: info}}
  secret: [SECRET_KEY]
"""


def git(directory: Path, *words: str) -> None:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    subprocess.run(("git", *who, *words), cwd=directory, check=True, capture_output=True)


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass
class Project:
    """Call it with words of the command line."""

    directory: Path
    state: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Answer:
        self.capsys.readouterr()
        code = main(list(words))
        out, err = self.capsys.readouterr()
        return Answer(code, out, err)

    def write(self, path: str, text: str) -> None:
        place = self.directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def serve(self, release: str, *, kept: Sequence[str] = (), records: Sequence[Record] = ()) -> None:
        """Put onto the host what deploys would have left there; no process runs."""
        home = self.state / "shop"
        for name in (*kept, release):
            (home / "releases" / name).mkdir(parents=True)
            (home / "releases" / name / "complete").touch()
        live = self.state / "proxy" / "live" / "shop"
        live.mkdir(parents=True)
        (live / "web").write_text(f"unix/{home}/run/web-{release}.sock")
        (home / "ledger.jsonl").write_text(render_lines(records))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Project]:
    place = tempfile.mkdtemp(prefix="sw-")  # pytest's own directories are too long for a socket of supervisor
    directory, state = tmp_path / "shop", Path(place, "state")
    directory.mkdir()
    made = Project(directory, state, capsys)
    made.write("manage.py", "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n")
    made.write("shop/wsgi.py", "")
    made.write("config/deploy.yml", DEPLOY_YML.format(state=state))
    made.write(".gitignore", ".kamal\n")
    git(directory, "init", "-q")
    git(directory, "add", ".")
    git(directory, "commit", "-qm", "Begin")
    made.write(".kamal/secrets", "SECRET_KEY=$(cat .kamal/key)\n")
    made.write(".kamal/key", SECRET)
    monkeypatch.chdir(directory)
    yield made
    shutil.rmtree(place)


@pytest.fixture
def served(project: Project) -> Project:
    """The project with two releases, the second of which serves."""
    project.serve("r2", kept=["r1"], records=(*ended("deploy", "r1"), *ended("deploy", "r2", base="r1")))
    return project
