from __future__ import annotations

import pytest

from shipway.core.ports import Result
from shipway.runtimes.base import RuntimeFacts
from shipway.runtimes.venv.parse import parse_probe

RECORDED = b"""release r10
release r9
leftover r11
running web r10
running worker-low r10
tool python3 /usr/bin/python3
tool uv /home/my deploy/.local/bin/uv
"""


def test_a_recorded_answer() -> None:
    facts = parse_probe(Result(0, RECORDED), is_keeper_up=True)
    assert facts.releases == ("r9", "r10")
    assert facts.leftovers == ("r11",)
    assert facts.running == {("web", "r10"), ("worker-low", "r10")}
    assert facts.tools == {"python3": "/usr/bin/python3", "uv": "/home/my deploy/.local/bin/uv"}
    assert facts.is_keeper_up


@pytest.mark.parametrize(
    "stdout",
    [
        b"",
        b"\xff\xfe\x00",
        b"release\nrelease \nrelease ../x\nrelease a b\n release r1\nrelease -r",
        b"running web\nrunning web r1 x\nrunning $(id) r1",
        b"tool sh relative\ntool ../x /bin/x\ntool sh /bin/\x1bsh",
        b"release " + b"r" * 101,
        b"x" * 2_000_000 + b"\nrelease r1",
    ],
)
def test_what_is_malformed_is_nothing(stdout: bytes) -> None:
    assert parse_probe(Result(0, stdout), is_keeper_up=False) == RuntimeFacts()
    assert parse_probe(None, is_keeper_up=False) == RuntimeFacts()
