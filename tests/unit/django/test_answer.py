"""The answer of a probe: what stands between the markers, and everything that is no answer."""

import ast
import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipway.core.errors import Exit, ShipwayError
from shipway.django.answer import LIMIT_BYTES, parse_answer
from shipway.django.probe_source import ProbeOptions, build_probe, markers

TOKEN = "ab" * 16
GOOD = {
    "where": {"python": "3.12.1", "django": "5.2", "django_version": [5, 2], "settings": "conf.settings"},
    "databases": {"default": {"vendor": "sqlite", "walk": [], "sizes": {"a": [1, -1]}, "applied": [["shop", "0001"]]}},
    "end": {"whole": True, "why": "", "status": 0, "said": ""},
}


def answer(body: object, token: str = TOKEN) -> bytes:
    begin, end = markers(token)
    return f"noise\n{begin}\n{json.dumps(body)}\n{end}\nmore noise".encode()


def test_a_good_answer() -> None:
    report = parse_answer(answer(GOOD), TOKEN)
    assert report.databases["default"].database.applied == {("shop", "0001")}
    assert report.databases["default"].database.sizes["a"].rows == 1


def packed(text: bytes) -> bytes:
    begin, end = markers(TOKEN)
    return f"{begin}\n{base64.b64encode(zlib.compress(text)).decode()}\n{end}\n".encode()


def test_a_packed_answer() -> None:
    assert parse_answer(b"\n" + packed(json.dumps(GOOD).encode()), TOKEN) == parse_answer(answer(GOOD), TOKEN)


def with_database(**more: object) -> dict[str, object]:
    return {**GOOD, "databases": {"default": {"vendor": "sqlite", **more}}}


BAD = {
    "nothing": (b"", "probe.no_answer"),
    "another token": (answer(GOOD, "cd" * 16), "probe.no_answer"),
    "no end": (answer(GOOD).split(b"-----END")[0], "probe.no_answer"),
    "no json": (answer(GOOD).replace(b'"where"', b"where"), "probe.garbled"),
    "packed, but no JSON": (b"\n" + packed(b"nothing"), "probe.garbled"),
    "packed, and without an end": (b"\n" + packed(b"{" * (LIMIT_BYTES + 1)), "probe.garbled"),
    "a list": (answer([]), "probe.garbled"),
    "no ending": (answer({"where": {}}), "probe.cut_short"),
    "cut": (answer({**GOOD, "end": {"whole": False, "why": "too slow"}}), "probe.cut_short"),
    "deep": (
        b"\n" + markers(TOKEN)[0].encode() + b"\n" + b"[" * 99_999 + b"\n" + markers(TOKEN)[1].encode() + b"\n",
        "probe.garbled",
    ),
    "a vendor that is a number": (answer(with_database(vendor=3)), "probe.garbled"),
    "a key of three": (answer(with_database(applied=[["a", "b", "c"]])), "probe.garbled"),
    "a size of text": (answer(with_database(sizes={"a": ["1", "2"]})), "probe.garbled"),
    "a default of another kind": (
        answer(with_database(footprint={"t": {"columns": [{"name": "a", "default": "sometimes"}]}})),
        "probe.garbled",
    ),
    "an unknown scope": (
        answer(with_database(walk=[{"key": ["a", "b"], "operations": [{"name": "X", "scope": "moon"}]}])),
        "probe.garbled",
    ),
}


@pytest.mark.parametrize(("output", "code"), BAD.values(), ids=BAD)
def test_what_is_no_answer(output: bytes, code: str) -> None:
    with pytest.raises(ShipwayError) as caught:
        parse_answer(output, TOKEN, said="last words")
    assert (caught.value.code, caught.value.exit_code) == (code, Exit.REFUSED)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["walk", "key", "columns", "live", "error", "operations", "changes"]), inner, max_size=3), max_leaves=8))  # fmt: skip  # noqa: E501
def test_no_answer_is_too_strange(value: object) -> None:
    body = {**GOOD, "databases": {"default": {"vendor": "sqlite", "walk": value, "live": {"t": value}}}}
    try:
        parse_answer(answer(body), TOKEN)
    except ShipwayError as error:
        assert error.code == "probe.garbled"  # noqa: PT017  either is right, nothing else is


def test_the_program_holds_its_token_outside_the_worker() -> None:
    source = build_probe(TOKEN, ProbeOptions())
    ast.parse(source, feature_version=(3, 9))
    worker = next(line for line in source.splitlines() if line.startswith("supervise("))
    assert worker.count(TOKEN) == 1
    inner = ast.parse(worker).body[0].value.args[2].value
    ast.parse(inner, feature_version=(3, 9))
    assert TOKEN not in inner
    assert source.count(TOKEN) == 1
    assert "shipway.django" not in source
    for wrong in ("", "'; import os", "AB" * 16):
        with pytest.raises(ValueError, match="token"):
            build_probe(wrong, ProbeOptions())
