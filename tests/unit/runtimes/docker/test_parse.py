from __future__ import annotations

import pytest

from shipway.core.ports import Result
from shipway.runtimes.base import RuntimeFacts
from shipway.runtimes.docker.parse import parse_probe

RECORDED = """release r10 c0ffee
release r9 bead
release r8 gone
leftover r11
tool python3 /usr/bin/python3
tool docker /usr/bin/docker
container shop-web-r10 web r10/Up 3 minutes (healthy)
container shop-worker-r10 worker r10/Restarting (1) 2 seconds ago
container shop-web-r9 web r9/Exited (0) 2 hours ago
container shop-web-r4 web r4/Created
container shop-web-0123abcd web /Up 2 days
container shop-worker-0123abcd worker /Exited (137) 2 days ago
container shop-exec-0123abcd-ff9012  /Up 2 seconds
image c0ffee
image bead
image latest
settled
answers
"""


def read(text: str | bytes, status: int = 0, destination: str = "") -> RuntimeFacts:
    body = text.encode() if isinstance(text, str) else text
    return parse_probe(Result(status, body), service="shop", destination=destination)


def test_a_recorded_answer() -> None:
    facts = read(RECORDED)
    assert facts.releases == ("kamal-0123abcd", "r9", "r10")
    assert facts.leftovers == ("r4", "r8", "r11"), "a container without a release, one without its image, one half made"
    assert facts.running == {("web", "r10"), ("worker", "r10"), ("web", "kamal-0123abcd")}
    assert facts.tools == {"python3": "/usr/bin/python3", "docker": "/usr/bin/docker"}
    assert facts.is_keeper_up
    assert facts.is_settled
    assert facts.trouble == ()


def test_a_container_of_kamal_in_a_destination() -> None:
    lines = (
        "tool python3 /p\nanswers\ncontainer shop-web-staging-77 web /Up 1 hour\ncontainer shop-web-77 web /Up 1 hour"
    )
    assert read(lines, destination="staging").running == {("web", "kamal-77")}


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("tool python3 /p", "docker.missing", "not installed"),
        ("tool docker /d\ntrouble Got permission denied while trying to connect to the Docker daemon socket at unix:…",
         "docker.no_permission", "socket"),
        ("tool docker /d\ntrouble Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
         "docker.stopped", "Cannot connect"),
        ("tool docker /d\nanswers", "python.missing", "Python 3"),
    ],
)  # fmt: skip
def test_trouble_has_a_code_and_a_way_out(text: str, code: str, word: str) -> None:
    (found,) = read(text).trouble
    assert found.code == code
    assert word in found.what
    assert "shipway setup" in found.next


def test_an_engine_that_hangs_is_told_and_not_taken_for_an_empty_one() -> None:
    """124 is the status of a command that was ended by its limit."""
    (found,) = read("release r1 1\ntool python3 /p\ntool docker /d\n", status=124).trouble
    assert (found.code, found.what) == ("docker.stopped", "Docker did not answer in time")


@pytest.mark.parametrize(
    "stdout",
    [
        b"",
        b"\xff\xfe\x00",
        b"release\nrelease \nrelease ../x v\nrelease a b c\n release r1 v\nrelease -r v",
        b"container a\ncontainer a b/Up\ncontainer $(id) web r1/Up\ncontainer a web r1 Up\ncontainer a ../x r1/Up 1",
        b"tool sh relative\ntool sh /bin/\x1bsh\nimage ../x\nimage -x",
        b"release " + b"r" * 101 + b" v",
        b"x" * 2_000_000 + b"\nrelease r1 v",
    ],
)
def test_what_is_malformed_is_nothing(stdout: bytes) -> None:
    facts = read(stdout)
    assert (facts.releases, facts.leftovers, facts.running, facts.is_keeper_up) == ((), (), frozenset(), False)


def test_no_answer_is_nothing_and_no_verdict() -> None:
    assert parse_probe(None, service="shop", destination="") == RuntimeFacts()
