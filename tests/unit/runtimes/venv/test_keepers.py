from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from shipway.core.errors import Refused
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.runtimes.venv.hand_over import HandOver
from shipway.runtimes.venv.keeper import Program
from shipway.runtimes.venv.keepers import KeeperFacts, chosen, keeper_of, keepers_question, parse_keepers
from shipway.runtimes.venv.supervisor import Supervisor
from shipway.runtimes.venv.systemd import Systemd

LAYOUT = Layout("/var/lib/shipway", "shop")
PROGRAM = Program("shop-web-r1", ("/bin/sh",), "/d", "/p", "/l", ("a", "b"), log="/log")


@pytest.mark.parametrize(
    ("wanted", "ways", "kept", "name"),
    [
        ("auto", "", "", "supervisor"),
        ("auto", "root", "", "root"),
        ("auto", "sudo user", "", "sudo"),
        ("auto", "user", "", "user"),
        ("auto", "root", "supervisor", "supervisor"),
        ("auto", "sudo", "supervisor system", "supervisor"),
        ("auto", "sudo user", "user", "user"),
        ("auto", "sudo user", "user system", "sudo"),
        ("systemd", "root", "supervisor", "root"),
        ("systemd", "", "", None),
        ("supervisor", "root", "", "supervisor"),
        ("supervisor", "root", "system", "supervisor"),
    ],
)
def test_a_host_stays_with_what_keeps_it(wanted, ways, kept, name) -> None:
    facts = KeeperFacts("deploy", "/home/deploy", tuple(ways.split()), frozenset(kept.split()))
    assert chosen(wanted, facts) == name


@pytest.mark.parametrize(
    ("wanted", "ways", "kept", "now", "before"),
    [
        ("systemd", "sudo", "supervisor", "sudo", Supervisor),
        ("supervisor", "sudo user", "system", Supervisor, "sudo"),
        ("supervisor", "sudo user", "user", Supervisor, "user"),
        ("auto", "root", "supervisor system", Supervisor, "root"),
    ],
)
def test_two_keepers_hand_over(wanted, ways, kept, now, before) -> None:
    facts = KeeperFacts("deploy", "/home/deploy", tuple(ways.split()), frozenset(kept.split()))
    keeper = keeper_of(wanted, LAYOUT, "h", "python3", facts)
    assert isinstance(keeper, HandOver)
    for made, expected in ((keeper.now, now), (keeper.before, before)):
        assert made.way == expected if isinstance(made, Systemd) else isinstance(made, expected)


def test_systemd_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        keeper_of("systemd", LAYOUT, "web-1", "python3", KeeperFacts("deploy"))
    assert refused.value.code == "host.no_systemd"


def test_what_the_old_keeper_has_is_ended_by_it() -> None:
    old, new = Supervisor(LAYOUT), Systemd(LAYOUT, "sudo", "deploy", "/home/deploy")
    keeper = HandOver(new, old)
    first, *rest = keeper.stop(PROGRAM)
    assert old.installed(PROGRAM) in first.argv
    assert first.stdin == old.stop(PROGRAM)[0].stdin
    assert tuple(rest) == new.stop(PROGRAM)
    assert keeper.start(PROGRAM) == new.start(PROGRAM)
    assert {old.installed(PROGRAM), new.installed(PROGRAM)} < set(keeper.stopped(PROGRAM).argv)
    back = HandOver(old, new).stop(PROGRAM)[0]
    assert ("sudo", "-n") in zip(back.argv, back.argv[1:], strict=False), "with its own rights"
    assert keeper.log(PROGRAM, LogsAsked(5)).argv[-1].startswith("sudo -n journalctl")


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("", KeeperFacts(home="/h")),
        ("user me\nway user\nkept supervisor\n", KeeperFacts("me", "/h", ("user",), frozenset({"supervisor"}))),
        ("user me\nway user\nway sudo\n", KeeperFacts("me", "/h", ("sudo", "user"))),
        ("user me; reboot\nway root\n", KeeperFacts(home="/h")),
        ("user me\nway all\nkept anything\nway root ", KeeperFacts("me", "/h")),
    ],
)
def test_answers_are_read_strictly(text: str, facts: KeeperFacts) -> None:
    assert parse_keepers(Result(0, text.encode()), "/h") == facts


@pytest.mark.parametrize("written", ["", "~/.shipway", "{home}/.shipway", "{home}/.shipway/"])
def test_what_keeps_programs_is_found_wherever_they_are(tmp_path: Path, written: str) -> None:
    programs = tmp_path / ".shipway" / "keeper" / "programs"
    programs.mkdir(parents=True)
    (programs / "a.conf").touch()
    units = tmp_path / ".config" / "systemd" / "user"
    units.mkdir(parents=True)
    (units / "shipway-a.service").write_text(f"# Written by Shipway, for {tmp_path}/.shipway\n[Unit]\n")
    (units / "shipway-b.service").write_text("# Written by Shipway, for /elsewhere\n")
    question = keepers_question(written.format(home=tmp_path))
    env = {**os.environ, "HOME": str(tmp_path)}
    if not written and os.getuid() == 0:
        return  # root's default is below /var/lib
    done = subprocess.run(question.words(), capture_output=True, env=env, check=False)
    kept = parse_keepers(Result(done.returncode, done.stdout), str(tmp_path)).kept
    assert kept >= {"supervisor", "user"}
