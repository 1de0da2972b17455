"""The program of a rehearsal's acts, and what comes back."""

import ast
import inspect
import json
from collections import Counter

import pytest

from shipway.core.errors import Refused
from shipway.django.probe_source import joined, markers
from shipway.django.rehearsal_answer import applied, dropped, made, parse_act, seeded, tried
from shipway.django.rehearsal_source import PARTS, ActOptions, build_act

TOKEN = "0123456789abcdef"
FAULT = {"type": "E", "message": "in use", "lines": ["x"], "file": "", "line": 0, "variable": ""}


def answer(**sections: object) -> bytes:
    begin, end = markers(TOKEN)
    body = {"where": {}, "end": {"whole": True}, **sections}
    return f"noise\n{begin}\n{json.dumps(body)}\n{end}\n".encode()


def test_no_part_takes_the_name_of_another() -> None:
    names = Counter(
        name
        for part in PARTS
        for node in ast.parse(inspect.getsource(part)).body
        for name in (
            [node.name]
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            else [target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)]
        )
    )
    assert [name for name, number in names.items() if number > 1] == []


def test_it_stands_alone_and_runs_on_python_3_9() -> None:
    text = joined(PARTS)
    assert "shipway.django" not in text
    ast.parse(text, feature_version=(3, 9))


@pytest.mark.parametrize("token", ["", "no", "0" * 65])
def test_a_token_is_hex(token: str) -> None:
    with pytest.raises(ValueError, match="token"):
        build_act(token, ActOptions("make"))


def test_what_was_made() -> None:
    scratch = {
        "default": {"name": "a", "by": "pg_dump", "rows": 3, "notes": ["x"]},
        "other": {"error": {"message": "no"}},
    }
    found = parse_act(
        answer(make={"made": scratch, "leftovers": [["default", "b", "t"]], "users": {}}), TOKEN, "make", made
    )
    assert (found.scratch["default"].by, found.scratch["other"].error) == ("pg_dump", "no")
    assert found.leftovers == (("default", "b", "t"),)


def test_what_was_seen() -> None:
    actions = {"shop.Room": {"list": ""}}
    body = {"default": {"prepared": ["a.b"], "failed": {}, "known": {"shop.Room": {}}, "actions": actions, "meets": {}}}
    found = parse_act(answer(seed=body), TOKEN, "seed", seeded)
    assert (found.seen["default"].baseline, found.known) == (actions, {"default": {"shop.Room": {}}})
    body = {"default": {"applied": ["a.b"], "before": {}, "actions": actions, "error": "", "failed": ""}}
    assert parse_act(answer(apply=body), TOKEN, "apply", applied)["default"].new_after == actions
    body = {"default": {"actions": actions, "changed": {"shop.Room": {"a": "lost"}}, "meets": {}}}
    found = parse_act(answer(**{"try": body}), TOKEN, "try", tried)
    assert found["default"].changed == {"shop.Room": {"a": "lost"}}
    assert parse_act(answer(drop={"failed": {"default": FAULT}}), TOKEN, "drop", dropped) == {"default": "in use"}


@pytest.mark.parametrize(
    ("output", "code"),
    [
        (b"", "probe.no_answer"),
        (answer(seed={"default": 1}), "probe.garbled"),
        (answer(seed={"default": {"actions": {"a": {"b": 1}}}}), "probe.garbled"),
        (answer(**{"seed.error": FAULT}), "rehearse.failed"),
    ],
)
def test_ways_out(output: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_act(output, TOKEN, "seed", seeded)
    assert caught.value.code == code
