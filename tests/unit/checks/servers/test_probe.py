"""The question to a server: run here as it is, and answers that no honest server gives."""

import subprocess

import pytest

from shipway.checks.servers.probe import PROBE_SCRIPT, Disk, parse, probe
from shipway.core.ports import Result

ANSWER = """\
begin 1
date 1795368585
machine x86_64
os debian 12
memory_kb 4000000
available_kb 3000000
swap_kb 0
state yes
disk state 100000000 50000000 /
inodes state 1000 900 /
systemd yes
reboot yes
address 10.0.0.5
firewall ufw
open 22/tcp
open 80,443/tcp
updates no
ports known
port 80 docker-proxy
port 443 nginx
port 8080 ours
container shipway-proxy running 0.0.0.0:80->80/tcp, 443/tcp
container db-1 exited
restarts /shop-web-r1 7 restarting shop
leftover r3
service yes
end 1
"""


def test_a_whole_answer() -> None:
    facts = parse(Result(0, ANSWER.encode()))
    assert facts.is_whole
    assert (facts.date_s, facts.machine, facts.os) == (1795368585, "x86_64", ("debian", "12"))
    assert (facts.memory_kb, facts.available_kb, facts.swap_kb) == (4000000, 3000000, 0)
    assert facts.disks == {"state": Disk("/", 100000000, 50000000)}
    assert facts.ports == {80: "shipway-proxy", 443: "nginx", 8080: "ours"}
    assert facts.names == {"shipway-proxy": "running", "db-1": "exited"}
    assert [(one.name, one.restarts, one.state) for one in facts.containers] == [("shop-web-r1", 7, "restarting")]
    assert facts.open == ("22/tcp", "80,443/tcp")
    assert facts.leftovers == ("r3",)
    assert facts.has_updates is False
    assert facts.may_write_state


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Welcome!\n" * 10_000,
        b"\xff\xfe\0\0begin 1\nend 1\n",
        b"begin 1\n" + b"leftover " + b"a" * 10_000_000 + b"\nend 1\n",
        b"begin 1\ndate -5\ndate 1e9\ndisk state a b /\ndisk state 1 2 relative\nport 80 \x1b[31m\nos debian\n",
        b"begin 1\n" + b"container x running\n" * 100_000 + b"end 1\n",
        b"begin 1\ndate 99999999999999999999999\nmachine ../../x\naddress <script>\nend 1",
    ],
)
def test_hostile_answers_are_read_as_nothing(text: bytes) -> None:
    facts = parse(Result(0, text))
    assert facts.date_s == -1
    assert facts.disks == {}
    assert all(len(name) <= 121 for name in facts.leftovers)
    assert facts.ports == {}
    assert facts.os is None
    assert facts.machine == ""
    assert facts.addresses == ()
    assert len(facts.names) <= 2000


def test_an_answer_that_was_cut_off_is_not_whole() -> None:
    assert not parse(Result(0, ANSWER.encode(), truncated=True)).is_whole
    assert not parse(Result(1, ANSWER.encode()[:-6])).is_whole


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_script_answers_here_and_changes_nothing(shell: str, tmp_path) -> None:
    root = tmp_path / "a state's directory"
    for name in ("r1", "r 2", "r3"):
        (root / "shop/releases" / name).mkdir(parents=True)
    (root / "shop/releases/r1/complete").touch()
    before = sorted(tmp_path.rglob("*"))
    command = probe(str(root), "shop", (1, 2))
    done = subprocess.run((shell, *command.argv[1:]), capture_output=True, timeout=60, check=False)
    facts = parse(Result(done.returncode, done.stdout))
    assert facts.is_whole, done.stderr
    assert facts.date_s > 1_700_000_000
    assert facts.machine
    assert facts.memory_kb > 0
    assert facts.disks["state"].size > 0
    assert facts.leftovers == ("r3",)
    assert facts.may_write_state
    assert sorted(tmp_path.rglob("*")) == before


def test_the_script_is_constant() -> None:
    command = probe("$(touch /tmp/x)", "'; exit 1", (80,))
    assert command.argv[2] == PROBE_SCRIPT
    assert command.argv[4:] == ("$(touch /tmp/x)", "'; exit 1", "80")
