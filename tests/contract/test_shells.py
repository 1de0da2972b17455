"""The framing on other kinds of `sh`, and on a host without setsid."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.adapters.framed import FramedTransport
from shipway.adapters.local import LocalConnector
from shipway.adapters.shell.script import Call, exchange_text
from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.ports import Request, Result
from tests.contract.conftest import Link, TestSecrets, ask
from tests.contract.host import eventually
from tests.contract.test_transport import gone

TOOLS = ("env", "cat", "sleep", "wc", "printf", "yes", "grep")
Make = Callable[..., Link]


@pytest.fixture
def make(runner: asyncio.Runner, tmp_path: Path) -> Iterator[Make]:
    made: list[Link] = []

    def link(sh: str, *tools: str, alone: bool = False) -> Link:
        program = shutil.which(sh)
        if program is None:
            pytest.skip(f"{sh} is missing")
        (tmp_path / "sh").symlink_to(program)
        for tool in tools:
            (tmp_path / tool).symlink_to(shutil.which(tool) or "/nowhere")
        path = str(tmp_path) if alone else f"{tmp_path}:{os.environ['PATH']}"
        connector = LocalConnector(("env", f"PATH={path}", str(tmp_path / "sh")))
        made.append(Link(FramedTransport(connector, TestSecrets()), runner))
        return made[-1]

    yield link
    for each in made:
        runner.run(each.transport.close())


def check(link: Link, number: str) -> None:
    binary = bytes(range(256)) * 3
    word = 'é\' "$x"\n\\ -- \x81'
    results = link.exchange(
        ask("printf", "%s", word),
        ask("cat", stdin=(binary.decode("utf-8", "surrogateescape"),)),
        ask("sh", "-c", "kill -TERM $$", stop_on="never"),
        ask("sh", "-c", f"(trap '' TERM; sleep {number}) & sleep {number}", limit_s=1, stop_on="never"),
        ask("sh", "-c", "exit 9"),
        ask("echo", "not run"),
    )
    assert [result.status for result in results] == [0, 0, 143, 143, 9]
    assert [result.timed_out for result in results] == [False, False, False, True, False]
    assert results[0].stdout == word.encode()
    assert results[1].stdout == binary
    assert results[2].signal == 15
    assert link.run("wc", "-c", stdin=("x" * 100_000,)).text.strip() == "100000"
    assert link.run("wc", "-c", stdin=("x" * 1_000_000,)).text.strip() == "1000000"
    assert gone(f"sleep {number}")
    skipped = link.exchange(replace(ask("echo", "true"), skip=2), ask("echo", "a"), ask("echo", "b"), ask("echo", "c"))
    assert [result.text for result in skipped] == ["true\n", "c\n"]
    assert [result.text for result in halted(link)] == ["same step\n", "same step\n"]
    assert link.run("sh", "-c", "kill -USR1 $$; echo survived").signal == 10, "programs have the signal as it was"


def halted(link: Link) -> tuple[Result, ...]:
    """What is run of an exchange that its first command asks to end: the shell is its parent's parent."""
    session = link.transport._shells[link.host, "main"]
    ask_to_end = 'kill -s USR1 "$1"; sleep 0.1; echo same step'
    same = ask("sh", "-c", ask_to_end, "sh", session.pid)
    return link.exchange(same, same, replace(ask("echo", "next step"), gate=True))


@pytest.mark.parametrize("sh", ["dash", "bash", "busybox", "zsh"])
def test_any_posix_shell_will_do(make: Make, sh: str) -> None:
    check(make(sh), f"77{len(sh)}{sum(map(ord, sh))}")


@pytest.mark.parametrize("sh", ["dash", "bash", "busybox", "zsh"])
def test_nothing_is_begun_when_nobody_reads_the_answers(make: Make, sh: str, tmp_path: Path) -> None:
    """The operator's machine is gone: the command that runs ends, the next one is not begun, and the shell ends."""
    link = make(sh)
    assert link.run("true").ok
    session = link.transport._shells[link.host, "main"]
    begun, go, first, second = (tmp_path / name for name in ("begun", "go", "first", "second"))
    script = ': >"$1"; until [ -e "$2" ]; do sleep 0.02; done; : >"$3"'

    async def leave() -> None:
        work = asyncio.create_task(
            link.transport.exchange(
                link.host, [ask("sh", "-c", script, "sh", *map(str, (begun, go, first))), ask("touch", str(second))]
            )
        )
        await asyncio.to_thread(eventually, begun.exists)
        session.child.close_output()
        go.touch()
        await asyncio.gather(work, return_exceptions=True)

    link.wait(leave())
    assert gone(session.mark)
    assert first.exists()
    assert not second.exists()


@pytest.mark.parametrize("sh", ["dash", "bash", "busybox", "zsh"])
def test_a_long_exchange_that_was_cut_on_the_way_is_not_run(make: Make, sh: str, tmp_path: Path) -> None:
    link = make(sh)
    assert link.run("true").ok
    session = link.transport._shells[link.host, "main"]
    text = exchange_text([Call(ask("touch", str(tmp_path / "run"), "x" * 5000), b"")], 2, session._token)

    async def send_less() -> None:
        await session.child.write(text[:-1])
        session.child.end_input()

    link.wait(send_less())
    assert gone(session.mark)
    assert not (tmp_path / "run").exists()


def test_perl_stands_in_for_setsid(make: Make) -> None:
    check(make("dash", "perl", *TOOLS, alone=True), "78431")


def test_a_host_without_both_is_refused(make: Make) -> None:
    with pytest.raises(Unreachable):
        make("dash", *TOOLS, alone=True).run("true")


def test_what_is_no_shell_is_refused(make: Make) -> None:
    with pytest.raises(Unreachable) as caught:
        make("false").run("true")
    assert caught.value.code == "local.no_shell"


def test_a_shell_that_hangs_is_given_up(make: Make) -> None:
    link = make("dash")
    assert link.run("true").ok
    session = link.transport._shells[link.host, "main"]
    session.backstop_s = -2.0
    os.kill(session.child.pid, signal.SIGSTOP)
    with pytest.raises(ConnectionLost):
        link.run("true", limit_s=0.1)
    assert link.run("true").ok


def test_a_limit_ends_what_sudo_runs(make: Make, tmp_path: Path) -> None:
    link = make("dash")
    sudo = tmp_path / "sudo"
    sudo.write_text(f'#!/bin/sh\n[ "$1" = -n ] || exit 99\nshift\necho "$1" >>{tmp_path}/asked\nexec "$@"\n')
    sudo.chmod(0o755)
    (result,) = link.exchange(Request(Command(("sleep", "78765"), sudo=True, limit_s=1)))
    assert result.timed_out
    assert gone("sleep 78765")
    assert (tmp_path / "asked").read_text().split()[:2] == ["sleep", "sh"]


def test_a_killed_shell_is_lost_and_started_again(make: Make) -> None:
    link = make("dash")
    assert link.run("true").ok
    pid = link.transport._shells[link.host, "main"].child.pid
    with pytest.raises(ConnectionLost):
        link.run("sh", "-c", "kill -KILL $1", "sh", str(pid))
    assert link.run("true").ok
