"""docs/reference/codes.md: every code of the source, and no other."""

import re

import pytest

from tests.docs.pages import REFERENCE, headings, section
from tests.docs.source_codes import codes, suspects

PAGE = REFERENCE / "codes.md"
NO_CODES = {
    "manifest.json",
    "project.toml",
    "proxy.host",
    "usage.unknown_",
    "shipway.adapters",
    "shipway.proxies",
    "shipway.runtimes",
    "step.und",
    "ledger.jsonl",
    "caddy.json",
    "runtime.txt",
    "shipway.conf",
    "nginx.json",
    "docker.service",
    "docker.socket",
    "setup.py",
    "setup.cfg",
    "host.name",
    "shipway.run",
    "shipway.service",
    "shipway.stage",
    "shipway.state",
    "shipway.step",
    "shipway.outcome",
    "shipway.version",
    "run.py",
    "schedule.py",
    "schedule.json",
    "static.py",
}
"""Words that look like codes: a place in the configuration, beginnings, a package, names of files."""


def explained() -> list[str]:
    return [text.strip("`") for text in headings(PAGE) if text.startswith("`")]


def test_the_codes_of_the_source_are_found() -> None:
    assert {"lock.held", "ssh.dns", "config.syntax", "step.undo_failed", "run.taken_back"} <= codes()
    assert suspects() - NO_CODES <= codes(), "is it a code? tests/docs/source_codes.py does not see it raised"


def test_every_code_has_its_heading() -> None:
    assert codes() - set(explained()) == set()


def test_every_heading_is_a_code() -> None:
    assert set(explained()) - codes() == set()
    assert len(explained()) == len(set(explained()))


@pytest.mark.parametrize("code", explained())
def test_every_code_says_what_why_and_what_to_do(code: str) -> None:
    labels = re.findall(r"^- (\w+): \S", section(PAGE, f"`{code}`"), re.MULTILINE)
    assert labels == ["means", "why", "do"]
