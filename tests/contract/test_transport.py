"""What every transport must do, over a real shell: this machine's and a real sshd's."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipway.adapters.framed import INLINE_BYTES
from shipway.core.action import Command, Upload, Wait, lower
from shipway.core.ports import Request, Result
from shipway.core.secret import SecretRef
from tests.contract.conftest import SECRET, Link, ask

BIG = INLINE_BYTES + 1
SHOW_WORDS = ("sh", "-c", "printf '%s\\0' \"$@\"", "sh")
shared_link = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
hostile_text = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=60)
hostile_word = hostile_text | st.sampled_from(
    ["", " ", "-rf", "--", "'", '"', "\\", "$HOME", "`id`", "$(id)", "\n", "a\nb\n", "\r", "\t", "*", "!", "~", "é漢😀",
     "\\0101", "%s%n", "\x1e", "&& exit", "\x7f\x01", "\x81\x88", "'\n'"]
)  # fmt: skip


def processes(needle: str) -> list[str]:
    """The command lines of all processes that contain `needle`."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if needle in line:
            found.append(line)
    return found


def wait_for(needle: str) -> None:
    """Wait for a process that contains `needle`, ten seconds at most."""
    for _ in range(200):
        if processes(needle):
            return
        time.sleep(0.05)


def gone(needle: str) -> bool:
    """Whether all processes that contain `needle` end within five seconds."""
    for _ in range(100):
        if not processes(needle):
            return True
        time.sleep(0.05)
    return False


@shared_link
@given(words=st.lists(hostile_word, max_size=6))
def test_words_arrive_unchanged(link: Link, words: list[str]) -> None:
    result = link.run(*SHOW_WORDS, "first", *words)
    assert result.ok, result.said
    assert result.stdout.split(b"\0") == [b"first", *(word.encode() for word in words), b""]


@shared_link
@given(data=st.binary(max_size=400) | st.just(bytes(range(256)) * 40))
def test_bytes_pass_both_ways_unchanged(link: Link, data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    one, two = link.exchange(ask("cat", stdin=(text,)), ask("sh", "-c", "cat >&2", stdin=(text,)))
    assert (one.stdout, one.stderr, two.stdout, two.stderr) == (data, b"", b"", data)


@pytest.mark.parametrize("size", [4_000, 65_537, INLINE_BYTES, INLINE_BYTES + 1, 3_000_000])
def test_big_input_arrives_whole(link: Link, size: int) -> None:
    data = os.urandom(size)
    one, two, three = link.exchange(
        ask("echo", "before"), ask("sha256sum", stdin=(data.decode("utf-8", "surrogateescape"),)), ask("echo", "after")
    )
    assert two.text.split()[0] == hashlib.sha256(data).hexdigest()
    assert (one.text, three.text) == ("before\n", "after\n")


@pytest.mark.parametrize(
    ("stop_on", "script", "runs_on"),
    [
        ("failure", "exit 0", True), ("failure", "exit 3", False), ("success", "exit 0", False),
        ("success", "exit 3", True), ("never", "exit 3", True), ("never", "exit 0", True),
        ("failure", "kill -TERM $$", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("big", [False, True])
def test_an_exchange_stops_where_it_is_told(link: Link, stop_on: str, script: str, *, runs_on: bool, big: bool) -> None:
    body = ("x" * BIG,) if big else ()
    results = link.exchange(Request(Command(("sh", "-c", script), body), stop_on), ask("echo", "second"))  # type: ignore[arg-type]
    assert len(results) == (2 if runs_on else 1)


SKIPS = [
    ((True, True, True, True), (2, 0, 0, 0), [0, 3]),
    ((False, True, True, True), (2, 0, 0, 0), [0, 1, 2, 3]),
    ((True, True, False, True), (1, 0, 3, 0), [0, 2, 3]),
    ((True, True, True, True), (0, 9, 0, 0), [0, 1]),
    ((True, True, True, True), (1, 0, 1, 0), [0, 2]),
]


@pytest.mark.parametrize(("answers", "skips", "ran"), SKIPS)
@pytest.mark.parametrize("big", [(), (1,), (0, 2)])
def test_an_exchange_skips_what_it_is_told_after_a_success(
    link: Link, answers: tuple[bool, ...], skips: tuple[int, ...], ran: list[int], big: tuple[int, ...]
) -> None:
    requests = [
        Request(
            Command(("sh", "-c", f"echo {i}; exit {0 if answer else 3}"), ("x" * BIG,) if i in big else ()),
            "never",
            skip=skip,
        )
        for i, (answer, skip) in enumerate(zip(answers, skips, strict=True))
    ]
    heard: list[int] = []
    results = link.exchange(*requests, heard=lambda number, result: heard.append(number))
    assert [int(result.text) for result in results] == heard == ran


def test_results_are_heard_as_they_come(link: Link, tmp_path: Path) -> None:
    """The second command waits for what the first one's answer made us do."""
    link.exchange(
        ask("true"),
        ask("sh", "-c", 'until [ -e "$1" ]; do sleep 0.02; done', "sh", str(tmp_path / "heard")),
        heard=lambda number, _: (tmp_path / "heard").touch(),
    )


GATED = 'echo begun; until [ -e "$1" ]; do sleep 0.02; done; echo ended'


@pytest.mark.parametrize("big", [False, True])
def test_an_exchange_ends_on_request_before_its_next_gate(link: Link, tmp_path: Path, *, big: bool) -> None:
    def wait_there() -> Request:
        return ask("sh", "-c", GATED, "sh", str(tmp_path / "go"), stdin=("x" * BIG,) if big else ())

    async def halted() -> tuple[Result, ...]:
        started = asyncio.Event()
        requests = [wait_there(), ask("echo", "same step"), replace(ask("echo", "next step"), gate=True), ask("echo")]
        work = asyncio.create_task(
            link.transport.exchange(
                link.host, [ask("echo"), *requests], track="halted",
                output=lambda _: started.set(),
            )
        )  # fmt: skip
        await started.wait()
        asking = asyncio.create_task(link.transport.halt(link.host, "halted"))
        await asyncio.to_thread(wait_for, "kill -s USR1")
        await asyncio.sleep(0.3)
        (tmp_path / "go").touch()
        results = await work
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        return results

    assert [result.text for result in link.wait(halted())][1:] == ["begun\nended\n", "same step\n"]
    after = link.exchange(ask("echo", "on"), replace(ask("echo", "and on"), gate=True), track="halted")
    assert [result.text for result in after] == ["on\n", "and on\n"], "the next exchange is not asked to end"


def test_nobody_is_asked_to_end_where_nothing_runs(link: Link) -> None:
    link.wait(link.transport.halt(link.host, "nothing here"))


@pytest.mark.parametrize(
    ("script", "status", "signal"),
    [
        ("exit 0", 0, None), ("exit 124", 124, None), ("exit 255", 255, None), ("kill -TERM $$", 143, 15),
        ("kill -KILL $$", 137, 9), ("kill -INT $$", 130, 2), ("kill -SEGV $$", 139, 11),
    ],
)  # fmt: skip
def test_status_and_signal_are_told_apart(link: Link, script: str, status: int, signal: int | None) -> None:
    result = link.run("sh", "-c", script)
    assert (result.status, result.signal, result.timed_out) == (status, signal, False)
    assert b"=-:" not in result.stdout + result.stderr


def test_a_missing_program_is_127(link: Link) -> None:
    result = link.run("no-such-program-here")
    assert result.status == 127
    assert "no-such-program-here" in result.said


def test_commands_leave_no_process_behind(link: Link) -> None:
    link.run("sh", "-c", "exit 0", "marker-8812", limit_s=4321)
    assert gone("sleep 4321")


@pytest.mark.parametrize(
    "script",
    [
        "sleep {n} & sleep {n}",
        "trap '' TERM; sleep {n} & sleep {n}; sleep {n}",
        "(trap '' TERM; sleep {n}) & sleep {n}",
        "trap 'exit 0' TERM; sleep {n} & wait",
    ],
)
def test_a_limit_ends_the_whole_group(link: Link, script: str) -> None:
    number = f"7{abs(hash((script, link.kind))) % 100000:05}"
    first, second = link.exchange(
        ask("sh", "-c", script.format(n=number), limit_s=1, stop_on="never"), ask("echo", "still here")
    )
    assert first.timed_out
    assert not first.ok
    assert second.text == "still here\n"
    assert gone(f"sleep {number}")


def test_a_background_process_does_not_hold_an_exchange(link: Link) -> None:
    began = time.monotonic()
    result = link.run("sh", "-c", "sleep 20 & echo $!")
    assert time.monotonic() - began < 10
    os.kill(int(result.text), 9)


def test_endless_output_is_bounded_and_ended(link: Link) -> None:
    first, second = link.exchange(ask("yes", "abcdefg", limit_s=1, stop_on="never"), ask("echo", "next"))
    assert first.timed_out
    assert first.truncated
    assert len(first.stdout) < 2 << 20
    assert first.stdout.startswith(b"abcdefg\n")
    assert second.text == "next\n"


def test_output_is_shown_while_it_comes(link: Link) -> None:
    seen: list[bytes] = []
    link.exchange(ask("sh", "-c", "echo one; echo two >&2"), ask("echo", "three"), output=seen.append)
    assert sorted(b"".join(seen).split()) == [b"one", b"three", b"two"]


def test_what_looks_like_a_marker_is_output(link: Link) -> None:
    fake = "\x1e" + "0" * 32 + ":1:=-:0=\x1e\n"
    assert link.run("printf", "%s", fake).stdout == fake.encode()


def test_tracks_run_side_by_side(link: Link) -> None:
    async def both() -> tuple[tuple[Result, ...], tuple[Result, ...]]:
        meet = "mkfifo $1 2>/dev/null; echo there > $1"
        path = f"/tmp/shipway-test-{os.getpid()}-{link.kind}"
        first = link.transport.exchange(link.host, [ask("sh", "-c", meet, "sh", path)], track="a")
        second = link.transport.exchange(
            link.host, [ask("sh", "-c", "until [ -p $1 ]; do sleep 0.01; done; cat $1; rm $1", "sh", path)], track="b"
        )
        return await asyncio.gather(first, second)

    _, (result,) = link.wait(both())
    assert result.text == "there\n"


def test_many_exchanges_at_once_on_one_track_keep_their_order(link: Link) -> None:
    async def many() -> list[tuple[Result, ...]]:
        return await asyncio.gather(*(link.transport.exchange(link.host, [ask("echo", str(i))]) for i in range(20)))

    assert [results[0].text for results in link.wait(many())] == [f"{i}\n" for i in range(20)]


def test_a_cancelled_exchange_leaves_a_transport_that_works(link: Link) -> None:
    async def cancel() -> None:
        started = asyncio.Event()
        request = ask("sh", "-c", "echo begun; exec sleep 2", limit_s=3)
        work = asyncio.create_task(
            link.transport.exchange(link.host, [request], track="cancelled", output=lambda _: started.set())
        )
        await started.wait()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    link.wait(cancel())
    assert link.exchange(ask("echo", "fresh"), track="cancelled")[0].text == "fresh\n"


def test_closing_ends_streams_and_leaves_a_transport_that_works(link: Link) -> None:
    async def close_under_way() -> None:
        async with aclosing(link.transport.stream(link.host, Command(("yes", "stream-5533" + link.kind)))) as stream:
            await anext(stream)
            await link.transport.close()

    link.wait(close_under_way())
    assert gone("stream-5533" + link.kind)
    assert link.run("echo", "fresh").text == "fresh\n"


def test_actions_work(link: Link, tmp_path: Path) -> None:
    target = tmp_path / "a b" / "file"
    upload = lower(Upload(str(target), ("x=", SecretRef("KEY", "shell"), "\n"), 0o640))
    wait = lower(Wait(Command(("test", "-e", str(target))), every_s=0.1, limit_s=2))
    results = link.exchange(Request(upload), Request(wait))
    assert all(result.ok for result in results), results
    assert SECRET in target.read_text().replace("'\"'\"'", "'")
    assert target.stat().st_mode & 0o777 == 0o640


def test_secrets_are_in_no_argument_and_no_output(link: Link) -> None:
    seen: list[bytes] = []
    script = "cat; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; env"
    both = ("KEY=", SecretRef("KEY"), " ", SecretRef("OTHER"), "\n")
    (result,) = link.exchange(ask("sh", "-c", script, stdin=both), output=seen.append)
    assert result.stdout.count(b"[KEY redacted]") == 1
    assert result.stdout.count(b"[OTHER redacted]") == 1
    for said in (result.stdout, b"".join(seen)):
        assert b"another-value" not in said
        assert b"hunter2" not in said


def test_secrets_are_in_no_argument_of_a_command_with_big_input(link: Link) -> None:
    script = "cat >/dev/null; cat /proc/[0-9]*/cmdline 2>/dev/null"
    result = link.run("sh", "-c", script, stdin=(SecretRef("OTHER"), "x" * BIG))
    assert b"redacted" not in result.stdout


def test_pipe_passes_bytes_and_checks_both_ends(link: Link) -> None:
    def pipe(source: tuple[str, ...], sink: tuple[str, ...], limit_s: float = 30) -> Result:
        both = Command(source, limit_s=limit_s), Command(sink)
        return link.wait(link.transport.pipe(both[0], link.host, both[1]))

    blob = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 20000)"
    good = pipe((sys.executable, "-c", blob), ("sha256sum",))
    assert good.text.split()[0] == hashlib.sha256(bytes(range(256)) * 20000).hexdigest()
    bad_source = pipe(("sh", "-c", "echo part; echo oops >&2; exit 3"), ("cat",))
    assert (bad_source.status, bad_source.stderr) == (3, b"oops\n")
    assert pipe(("yes",), ("sh", "-c", "head -c 10 >/dev/null; exit 4")).status == 4
    assert pipe(("yes",), ("head", "-c", "10")).signal == 13
    assert pipe(("sh", "-c", "kill -KILL $$"), ("cat",)).signal == 9
    assert pipe(("no-such-program-here",), ("cat",)).status == 127
    assert pipe(("sleep", "76543"), ("cat",), limit_s=0.2).timed_out
    assert gone("sleep 76543")


def test_a_stream_comes_as_it_is_written_and_ends_when_closed(link: Link) -> None:
    async def first_lines() -> bytes:
        got = b""
        script = "echo out; echo err >&2; while :; do echo more another-value; sleep 0.02; done"
        argv = ("sh", "-c", script, "stream-marker-5521" + link.kind)
        async with aclosing(link.transport.stream(link.host, Command(argv, limit_s=1))) as stream:
            async for piece in stream:
                got += piece
                if got.count(b"\n") > 4:
                    break
        return got

    got = link.wait(first_lines())
    assert got.startswith(b"out\nerr\nmore [OTHER redacted]\n")
    assert gone("stream-marker-5521" + link.kind)


def test_a_stream_ends_with_its_command(link: Link) -> None:
    async def all_of_it() -> bytes:
        argv = ("sh", "-c", "cat; echo end")
        return b"".join([piece async for piece in link.transport.stream(link.host, Command(argv, ("in\n",)))])

    assert link.wait(all_of_it()) == b"in\nend\n"


def test_interactive_returns_the_status(link: Link) -> None:
    words = ("sh", "-c", '[ "$1" = "$2" ] && exit 7', "sh", "it's \\ $x!\n", "it's \\ $x!\n")
    assert link.wait(link.transport.interactive(link.host, Command(words))) == 7
