"""Secret values, planted wherever a value can stand, are found nowhere but in the files that hold them."""

from __future__ import annotations

import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from shipway.app.demo.project import run_git
from tests.live.machine import Machine
from tests.live.site import Ran, Site, new_site

SECRETS = {
    "SECRET_KEY": "plain-Zq7vKx19-web-and-worker",
    "QUOTED": 'it\'s "quoted" $HOME `id` \\ end-Wm3',
    "LINES": "first-line-of-a-key-Yt55\nsecond-line-of-a-key-Yt66\nthird-line-of-a-key-Yt77",
    "WEB_ONLY": "only-for-web-Bc82kd",
    "WORKER_ONLY": "only-for-worker-Hn47xs",
    "FROM_COMMAND": "from-a-command-Lp60rz",
    "FROM_VAULT": "from-the-vault-Gd31we",
}
MARKS = ("Zq7vKx19", "end-Wm3", "Yt55", "Yt66", "Yt77", "Bc82kd", "Hn47xs", "Lp60rz", "Gd31we")
"""A part of every value that stands nowhere else: found in whatever way the rest is quoted."""

TALKATIVE = """
import os, sys
for name in ("SECRET_KEY", "QUOTED", "LINES", "WEB_ONLY", "WORKER_ONLY", "FROM_COMMAND", "FROM_VAULT"):
    print("settings read", name, os.environ.get(name), repr(os.environ.get(name)))
    print(os.environ.get(name), file=sys.stderr, flush=True)
"""
TELLING_MIGRATION = """
import os
from django.db import migrations
from django.db.models.signals import pre_migrate

def tell(**kwargs):
    raise RuntimeError(" ".join([os.environ["SECRET_KEY"], os.environ["QUOTED"], os.environ["LINES"]]))

pre_migrate.connect(tell)

class Migration(migrations.Migration):
    dependencies = [("ships", "0004_inspections_and_reports")]
"""
# What a program says that gives no value: it has said it before, and the value of another secret.
FAILING_SECRET = "FROM_VAULT=$(cat .kamal/FROM_VAULT; cat .kamal/FROM_VAULT .kamal/FROM_COMMAND >&2; exit 3)\n"


class Watch:
    """Looks at the arguments of all processes while something runs."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: set[bytes] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            for entry in Path("/proc").iterdir():
                with suppress(OSError):
                    self.seen.add((entry / "cmdline").read_bytes() if entry.name.isdigit() else b"")


def plant(machine: Machine) -> Site:
    site = new_site(machine, "secretive")
    for name in ("FROM_COMMAND", "FROM_VAULT", "LINES", "QUOTED"):
        site.write(f".kamal/{name}", SECRETS[name])
    site.write(
        ".kamal/secrets",
        f"SECRET_KEY={SECRETS['SECRET_KEY']}\n"
        "QUOTED=$(cat .kamal/QUOTED)\nLINES=$(cat .kamal/LINES)\n"
        f"WEB_ONLY='{SECRETS['WEB_ONLY']}'\nWORKER_ONLY=\"{SECRETS['WORKER_ONLY']}\"\n"
        "FROM_COMMAND=$(cat .kamal/FROM_COMMAND; cat .kamal/FROM_COMMAND >&2)\n"
        "FROM_VAULT=$(cat .kamal/FROM_VAULT)\n",
    )
    site.write(".gitignore", (site.directory / ".gitignore").read_text() + "\n.kamal/*\n!.kamal/secrets-common\n")
    (site.directory / ".kamal" / "secrets").chmod(0o600)
    site.append("harbor/settings.py", TALKATIVE)

    def share(config: dict[str, Any]) -> None:
        config["env"]["secret"] = ["SECRET_KEY", "QUOTED", "LINES", "FROM_COMMAND", "FROM_VAULT"]
        config["servers"]["web"]["env"] = {"secret": ["WEB_ONLY"]}
        config["servers"]["worker"]["env"] = {"secret": ["WORKER_ONLY"]}

    site.configure(share)
    run_git(site.directory, "rm", "--quiet", "--cached", ".kamal/secrets")
    site.commit()
    return site


def test_no_value_is_found_anywhere(machine: Machine, tmp_path: Path):
    temporary = tmp_path / "t"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}
    site, said = plant(machine), {}
    with Watch() as watch:
        for words, code in (
            (("plan", "deploy", "--json"), 0),
            (("deploy", "--json"), 0),
            (("deploy",), 0),
            *(((*verb, *form), 0) for verb in READING for form in ((), ("--json",))),
            (("logs", "-n", "500"), 0),
            (("exec", "--", "sh", "-c", PRINT_ALL), 0),
            (("exec", "--json", "--", "sh", "-c", PRINT_ALL), 0),
            (("exec", "--json", "--roles", "worker", "--", "printenv"), 0),
            (("manage", "--", "check"), 0),
            (("manage", "--json", "--", "no_such_command"), 1),
            (("resume", "--json"), 0),
        ):
            said[" ".join(words)] = checked(site(*words, env=env), code)
        site.write("ships/migrations/0005_tell.py", TELLING_MIGRATION)
        site.commit()
        said["failing deploy"] = checked(site("deploy", "--json", env=env), 10)
        said["failing deploy, plain"] = checked(site("deploy", "-v", env=env), 10)
        site.append(".kamal/secrets", FAILING_SECRET)
        said["failing secret"] = checked(site("deploy", "--json", env=env), 3)
        said["failing secret, plain"] = checked(site("deploy", env=env), 3)
    for what, text in said.items():
        assert_clean(text, what)
    assert "redacted" in said["logs -n 500"], "the application does print its secrets, and the log shows where"
    assert_files_are_clean(site)
    assert_clean(b"\n".join(watch.seen).decode("utf-8", "replace"), "the arguments of processes")
    for file in temporary.rglob("*"):
        assert not file.is_file(), f"{file} was left"


READING = (("config",), ("status",), ("audit",), ("releases",), ("lock", "status"))
PRINT_ALL = 'env; printf "%s\\n" "$QUOTED" "$LINES"; echo "$SECRET_KEY" >&2'


def checked(ran: Ran, code: int) -> str:
    assert ran.code == code, ran.text
    return ran.out + ran.err


def assert_clean(text: str, what: str) -> None:
    for mark in MARKS:
        at = text.find(mark)
        assert at < 0, f"{what} shows {mark}: …{text[max(0, at - 200) : at + 60]}"


def assert_files_are_clean(site: Site) -> None:
    """Every file below the state directory; environment files hold values, and the logs are the application's own."""
    envs = 0
    for file in site.machine.state.rglob("*"):
        if file.is_symlink() or not file.is_file() or "cache" in file.parts or "venv" in file.parts:
            continue
        if file.suffix == ".env" and file.parent.name == "env":
            envs += 1
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        elif file.parent != site.home / "log":
            assert_clean(file.read_bytes().decode("utf-8", "replace"), str(file))
    assert envs
