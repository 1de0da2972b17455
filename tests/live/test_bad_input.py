"""What is wrong before a host is changed: told in four parts, with its exit code, while the release goes on serving."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from typing import Any

import pytest

from shipway.app.demo.project import run_git
from tests.live.site import Ran, Site

Change = Callable[[Site], object]


def assert_told(ran: Ran, code: int, slug: str, *, now: bool = False) -> dict[str, Any]:
    """Check the exit code and the parts of the error: code, what, where, next, and `now` after a change."""
    assert (ran.code, ran.error.get("code")) == (code, slug), ran.text
    for part in ("what", "where", "next", *(("now",) if now else ())):
        assert ran.error[part], (part, ran.error)
    assert ran.error["exit"] == code
    assert "Traceback" not in ran.err
    return ran.error


def configured(**changes: object) -> Change:
    return lambda site: site.configure(lambda config: config.update(changes))


def deep(*path: str, value: object) -> Change:
    def change(config: dict[str, Any]) -> None:
        for key in path[:-1]:
            config = config[key]
        config[path[-1]] = value

    return lambda site: site.configure(change)


def overwritten(path: str, text: str) -> Change:
    return lambda site: site.write(path, text)


def without(path: str) -> Change:
    return lambda site: (site.directory / path).unlink()


def without_git(site: Site) -> None:
    shutil.rmtree(site.directory / ".git")


def without_commits(site: Site) -> None:
    without_git(site)
    run_git(site.directory, "init", "--quiet")


CONFIG = "config/deploy.yml"
CASES: dict[str, tuple[Change, int, str, str]] = {
    "no config": (without(CONFIG), 3, "config.missing", "deploy.yml"),
    "a directory for a config": (
        lambda site: ((site.directory / CONFIG).unlink(), (site.directory / CONFIG).mkdir()),
        3, "config.unreadable", "deploy.yml",
    ),
    "a config of other bytes": (
        lambda site: (site.directory / CONFIG).write_bytes(b"service: \xff\xfe\n"), 3, "config.unreadable", "",
    ),
    "an empty config": (overwritten(CONFIG, ""), 3, "config.invalid", "empty"),
    "a comment for a config": (overwritten(CONFIG, "# to do\n"), 3, "config.invalid", "empty"),
    "an unknown key": (configured(servrs={}), 3, "config.invalid", "servers"),
    "a wrong type": (configured(retain_containers="many"), 3, "config.invalid", "retain_containers"),
    "a role without hosts": (deep("servers", "web", "hosts", value=[]), 3, "config.invalid", "web"),
    "no commit": (without_commits, 3, "git.no_commits", "git commit"),
    "no repository": (without_git, 3, "git.no_repository", "git init"),
    "a missing secret": (overwritten(".kamal/secrets", "OTHER=1\n"), 3, "secrets.missing", "SECRET_KEY"),
    "no secrets file": (without(".kamal/secrets"), 3, "secrets.missing", "SECRET_KEY"),
    "a secret's command fails": (
        overwritten(".kamal/secrets", "SECRET_KEY=$(echo 'the vault is locked' >&2; exit 7)\n"),
        3, "secrets.command_failed", "SECRET_KEY",
    ),
    "a lock that is not in git": (deep("venv", value={"lock": "nowhere.txt"}), 3, "git.no_file", "nowhere.txt"),
    "a path too long for a socket": (
        configured(state_directory="/tmp/" + "long" * 30), 3, "runtime.impossible", "shorter state directory",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_told_before_anything_is_changed(site: Site, case: str):
    change, code, slug, word = CASES[case]
    change(site)
    error = assert_told(site.deploy(), code, slug)
    assert word in str(error)


def test_a_destination_that_does_not_exist(site: Site):
    site.write("config/deploy.staging.yml", "env: {clear: {A: b}}\n")
    error = assert_told(site("deploy", "--json", "-d", "stagin"), 3, "config.no_destination")
    assert "staging" in str(error)


def test_uncommitted_files_are_told_and_head_is_planned(site: Site):
    site.append("harbor/settings.py", "\nraise SystemExit('not committed')\n")
    ran = site("plan", "deploy")
    assert ran.code == 0, ran.text
    assert "uncommitted" in ran.err + ran.out


def test_a_word_that_is_no_verb(site: Site):
    error = assert_usage(site("deplyo", "--json"))
    assert "deploy" in error["what"]


def assert_usage(ran: Ran) -> dict[str, Any]:
    assert (ran.code, ran.error.get("code")) == (2, "usage.wrong"), ran.text
    return ran.error


def test_another_program_has_the_port(site: Site):
    """A first deploy to a state directory of its own, whose proxy finds its port taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        deep("proxy", "run", "http_port", value=port)(site)
        state = site.machine.root / "other"
        site.configure(lambda config: config.update(state_directory=str(state)))
        ran = site.deploy()
        error = assert_told(ran, 10, "step.failed", now=True)
        assert str(port) in error["said"]
        assert str(os.getpid()) in error["said"] or "python" in error["said"], "who has it"
        assert not (state / "harbor" / "releases").exists() or not any((state / "harbor" / "releases").iterdir())
