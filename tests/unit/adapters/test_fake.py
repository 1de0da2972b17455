from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shipway.adapters.fake import FakeTransport, Fault
from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.ports import Request, Result, StopOn


def ask(word: str, stop_on: StopOn = "failure") -> Request:
    return Request(Command((word,)), stop_on)


def answer(request: Request) -> Result:
    return Result(1 if request.command.argv[0] == "bad" else 0, request.command.argv[0].encode())


def words(fake: FakeTransport) -> list[tuple[str, bool]]:
    return [(heard.request.command.argv[0], heard.result is not None) for heard in fake.transcript]


@pytest.mark.parametrize(
    ("requests", "count"),
    [
        ([ask("a"), ask("b")], 2), ([ask("bad"), ask("b")], 1), ([ask("bad", "never"), ask("b")], 2),
        ([ask("a", "success"), ask("b")], 1), ([ask("bad", "success"), ask("b")], 2), ([], 0),
    ],
)  # fmt: skip
def test_an_exchange_stops_where_it_is_told(requests: list[Request], count: int) -> None:
    fake = FakeTransport({"h": answer})
    assert len(asyncio.run(fake.exchange("h", requests))) == count


def test_a_success_skips_and_a_request_to_end_counts_at_gates() -> None:
    fake = FakeTransport({"h": answer})
    heard: list[int] = []
    requests = [replace(ask("a"), skip=1), ask("b"), ask("c"), replace(ask("d"), gate=True)]

    def hear(number: int, _result: Result) -> None:
        heard.append(number)
        if number == 2:
            asyncio.ensure_future(fake.halt("h"))  # noqa: RUF006  it is done at once

    async def main() -> None:
        assert len(await fake.exchange("h", requests, heard=hear)) == 2

    asyncio.run(main())
    assert heard == [0, 2]


@pytest.mark.parametrize(
    ("fault", "error", "heard"),
    [
        (Fault("h", 2), ConnectionLost, [("a", True), ("b", False)]),
        (Fault("h", 2, "after"), ConnectionLost, [("a", True), ("b", True)]),
        (Fault("h", 1, unreachable=True), Unreachable, [("a", False)]),
    ],
)
def test_faults_break_where_they_are_planned(
    fault: Fault, error: type[Exception], heard: list[tuple[str, bool]]
) -> None:
    fake = FakeTransport({"h": answer}, faults=[fault])
    with pytest.raises(error):
        asyncio.run(fake.exchange("h", [ask("a"), ask("b"), ask("c")]))
    assert words(fake) == heard
    assert asyncio.run(fake.exchange("h", [ask("d")]))[0].ok


def test_a_host_may_stay_away() -> None:
    fake = FakeTransport({"h": answer}, faults=[Fault("h", 1, "after", lasting=True)])
    with pytest.raises(ConnectionLost):
        asyncio.run(fake.exchange("h", [ask("a")]))
    with pytest.raises(Unreachable):
        asyncio.run(fake.exchange("h", [ask("b")]))


def test_an_unknown_host_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        asyncio.run(FakeTransport({}).exchange("h", [ask("a")]))


def test_tracks_interleave_and_one_track_keeps_its_order() -> None:
    fake = FakeTransport({"h": answer})

    async def both() -> None:
        one = fake.exchange("h", [ask("a1"), ask("a2")], track="a")
        again = fake.exchange("h", [ask("a3")], track="a")
        await asyncio.gather(one, again, fake.exchange("h", [ask("b1"), ask("b2")], track="b"))

    asyncio.run(both())
    order = [word for word, _ in words(fake)]
    assert [word for word in order if word[0] == "a"] == ["a1", "a2", "a3"]
    assert order.index("b1") < order.index("a2")


def test_a_pipe_fails_with_its_source() -> None:
    fake = FakeTransport({"h": answer}, local=answer)
    assert asyncio.run(fake.pipe(Command(("bad",)), "h", Command(("sink",)))).stdout == b"bad"
    assert fake.transcript == []
    assert asyncio.run(fake.pipe(Command(("good",)), "h", Command(("sink",)))).stdout == b"sink"


def test_a_stream_yields_lines_and_an_answer_may_be_asynchronous() -> None:
    async def slow(_request: Request) -> Result:
        await asyncio.sleep(0)
        return Result(3, b"a\nb\n", b"c")

    fake = FakeTransport({"h": slow})

    async def use() -> tuple[list[bytes], int]:
        lines = [line async for line in fake.stream("h", Command(("x",)))]
        return lines, await fake.interactive("h", Command(("x",)))

    assert asyncio.run(use()) == ([b"a\n", b"b\n", b"c"], 3)
