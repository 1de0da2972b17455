from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipway.adapters.shell.frames import Bounded, Cut, Frames, Mark, Output, result_of

TOKEN = b"0f" * 16


class Chunks:
    """A source that gives prepared pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = [piece for piece in pieces if piece]

    async def read(self, n: int = -1, /) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


def collect(frames: Frames, got: bytearray) -> Mark:
    return asyncio.run(frames.until_mark(got.extend))


@given(data=st.binary(max_size=80) | st.just(b"\x1e" + TOKEN[:20]), cuts=st.lists(st.integers(0, 130), max_size=5))
def test_output_and_mark_are_found_however_the_stream_is_cut(data: bytes, cuts: list[int]) -> None:
    stream = data + b"\x1e" + TOKEN + b":7:Killed\n=-:137=\x1e\n" + b"rest"
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    frames = Frames(Chunks(*(stream[a:b] for a, b in pairwise(edges))), TOKEN)
    got = bytearray()
    mark = collect(frames, got)
    assert (bytes(got), mark) == (data, Mark(b"7", b"Killed\n=-:137="))


@pytest.mark.parametrize("said", [b"", b"half", b"half\x1e" + TOKEN + b":1:=-:0"])
def test_an_end_without_a_mark_is_a_cut(said: bytes) -> None:
    with pytest.raises(Cut):
        collect(Frames(Chunks(said), TOKEN), bytearray())


@given(pieces=st.lists(st.binary(max_size=40), max_size=10))
def test_bounded_keeps_head_and_tail(pieces: list[bytes]) -> None:
    kept, data = Bounded(32), b"".join(pieces)
    for piece in pieces:
        kept.add(piece)
    value = kept.value()
    assert kept.truncated == (len(data) > 32)
    if kept.truncated:
        assert value.startswith(data[:16])
        assert value.endswith(data[-16:])
    else:
        assert value == data


@pytest.mark.parametrize(
    ("verdict", "tells", "status", "signal", "timed_out"),
    [
        (b"=-:0=", True, 0, None, False), (b"=-:124=", True, 124, None, False), (b"=-:143=", True, 143, None, False),
        (b"Terminated\n=-:143=", True, 143, 15, False), (b"=-:143=", False, 143, 15, False),
        (b"=-:141=", True, 141, 13, False), (b"=-:255=", False, 255, None, False), (b"=T:143=", True, 143, 15, True),
        (b"=T:0=", True, 124, None, True), (b"", True, 137, 9, True), (b"Killed", True, 137, 9, True),
        (b"setsid: failed: Argument list too long", True, 126, None, False),
    ],
)  # fmt: skip
def test_verdicts(verdict: bytes, tells: bool, status: int, signal: int | None, timed_out: bool) -> None:  # noqa: FBT001
    result = result_of(verdict, Output(), tells_signals=tells, took_s=0.0)
    assert (result.status, result.signal, result.timed_out) == (status, signal, timed_out)
