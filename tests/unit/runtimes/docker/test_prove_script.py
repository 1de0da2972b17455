"""How a host reads what Docker's own interface answers; a real engine is asked in the lab."""

import pytest

from shipway.runtimes.docker.prove_script import age_s, instant, unframed


def frame(stream: int, body: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (frame(1, b"out\n") + frame(2, b"err\n"), b"out\nerr\n"),
        (frame(1, b"") + frame(2, b"err\n"), b"err\n"),
        (frame(1, b"cut off")[:-3], b"cut "),
        (b"of a terminal\r\n", b"of a terminal\r\n"),
        (b"\x01", b"\x01"),
        (b"", b""),
    ],
)
def test_frames_of_a_log(body, read):
    assert unframed(body) == read


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2026-11-22T19:00:00.123456789Z", "1795374000.123456789"),
        ("2026-11-22T19:00:00Z", "1795374000"),
        ("0001-01-01T00:00:00Z", "-62135596800"),
        ("", ""),
        ("yesterday", ""),
    ],
)
def test_an_instant_keeps_all_its_digits(said, seconds):
    assert instant(said) == seconds


def test_nobody_is_older_than_what_cannot_be_read():
    assert age_s("yesterday") == 0.0
    assert age_s("2026-11-22T19:00:00Z") > 0.0
