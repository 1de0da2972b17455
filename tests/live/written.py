"""A deploy that was written down, carried out with nothing of ours on the way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live.machine import wait_until
from tests.live.site import LIMIT_S, Site

_BLOCK = re.compile(r"^- \[ \] (?P<what>[^\n]*):[^\n]*\n\n```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
DONE = ("This shell knows", "Nobody else", "Do it", "Write it down", "Release the lock")
"""The blocks of a checklist that a person runs when nothing fails."""


def write(site: Site, verb: str, place: Path, *words: str) -> Path:
    ran = site(verb, *words)
    assert ran.code == 0, ran.text
    place.write_text(ran.out)
    return place


def key_of(site: Site) -> str:
    return (site.directory / ".kamal" / "secret-key").read_text().strip()


@contextmanager
def at_work(script: Path, secret: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script as somebody without Shipway does; it is killed when it is still there at the end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SHIPWAY_", "PYTHON", "COV_"))}
    process = subprocess.Popen(
        ("sh", str(script)), cwd=script.parent, env=clean | {"SECRET_KEY": secret} | env, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)


def run_script(script: Path, secret: str, **env: str) -> tuple[int, str]:
    """Return exit code and what was said."""
    with at_work(script, secret, **env) as process:
        said = process.communicate(timeout=LIMIT_S)[1]
        return process.returncode, said


def wait_for_step(site: Site, step: str, kind: str = "step.begin") -> None:
    """Wait until the last line of the ledger is that of a step whose id has `step`."""
    ledger = site.home / "ledger.jsonl"

    def has_come() -> bool:
        last = ledger.read_text().splitlines()[-1]
        return f'"{kind}"' in last and step in last

    wait_until(has_come, LIMIT_S)


def commands_of(checklist: str, secret: str) -> str:
    """Return what a person pastes into a shell who follows a checklist to its end, where no step was true before."""
    head, _, _ = checklist.partition("## If a step fails")
    blocks = [m["text"] for m in _BLOCK.finditer(head) if m["what"].startswith(DONE)]
    return "\n".join(["set -e", f"secret_SECRET_KEY='{secret}'", *blocks])
