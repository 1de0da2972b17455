from __future__ import annotations

import base64
import json
import shlex
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipway.adapters.redact import Redactor

VALUE = "p@ss 'w\"ord/+\\é"
CERTIFICATE = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7\n-----END KEY-----"


@pytest.mark.parametrize(
    "said",
    [
        VALUE, repr(VALUE), ascii(VALUE), repr({"a": f"{VALUE} and \"more'"}), str(KeyError(VALUE)),
        json.dumps(VALUE), json.dumps({"a": [VALUE]}, ensure_ascii=False), shlex.quote(VALUE),
        quote(VALUE), quote(VALUE, safe=""), f"postgres://user:{quote(VALUE, safe='')}@db/x",
        base64.b64encode(VALUE.encode()).decode(), base64.b64encode(f"u:{VALUE}".encode()).decode(),
        base64.b64encode(f"us:{VALUE}:more".encode()).decode(), base64.urlsafe_b64encode(VALUE.encode()).decode(),
    ],
)  # fmt: skip
def test_every_form_is_taken_out(said: str) -> None:
    cleaned = Redactor({"PW": VALUE}).clean(said.encode())
    assert b"[PW redacted]" in cleaned
    assert b"ord" not in cleaned.replace(b"[PW redacted]", b"")


def test_a_line_of_a_long_value_is_taken_out() -> None:
    said = b"error near MIIEvQIBADANBgkqhkiG9w0BAQEF here"
    assert Redactor({"KEY": CERTIFICATE}).clean(said) == b"error near [KEY redacted] here"


def test_short_values_stay() -> None:
    assert Redactor({"N": "yes", "EMPTY": ""}).clean(b"yes, yes") == b"yes, yes"


def test_the_longest_of_overlapping_values_wins() -> None:
    both = Redactor({"A": "secret", "B": "secret-longer"})
    assert both.clean(b"secret secret-longer") == b"[A redacted] [B redacted]"


@given(
    pieces=st.lists(
        st.sampled_from([b"secret", b"-longer", b"sec", b"ret", b"x", b"aaaa", b"aaa", b"\xff\n"]), max_size=12
    ),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_a_stream_cleans_as_the_whole_does(pieces: list[bytes], cuts: list[int]) -> None:
    redactor, data, got = Redactor({"A": "secret", "B": "secret-longer", "C": "aaaa"}), b"".join(pieces), bytearray()
    stream = redactor.stream(got.extend)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        stream.feed(data[start:end])
    stream.end()
    assert bytes(got) == redactor.clean(data)


def test_what_cannot_be_a_secret_is_not_held_back() -> None:
    got: list[bytes] = []
    Redactor({"A": "secret"}).stream(got.append).feed(b"line\nsec")
    assert got == [b"line\n"]
