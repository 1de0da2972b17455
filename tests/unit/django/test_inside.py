"""The program that tries services from inside, and its answer: what is joined fits, what comes back is not trusted."""

import ast
import base64
import contextlib
import inspect
import json
import zlib
from collections import defaultdict
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipway.core.errors import ShipwayError
from shipway.django import inside_source as program
from shipway.django import probe_source
from shipway.django.inside import parse_inside
from shipway.django.inside_source import InsideOptions, inside_source

TOKEN = "0123456789abcdef" * 2


def names(module: ModuleType) -> list[str]:
    found = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return found


@pytest.mark.parametrize("parts", [program._PARTS, probe_source.WORKER_PARTS], ids=["inside", "probe"])
def test_no_part_takes_the_name_of_another(parts: tuple[ModuleType, ...]) -> None:
    """The parts become one program: a name that two of them have is only the second one's."""
    where = defaultdict(list)
    for part in parts:
        for name in names(part):
            where[name].append(part.__name__)
    assert {name: places for name, places in where.items() if len(places) > 1} == {}


def test_the_program_is_python_39_and_its_worker_knows_no_token() -> None:
    text = inside_source(TOKEN, InsideOptions("ab" * 8, want=("database",)))
    tree = ast.parse(text, feature_version=(3, 9))
    assert text.count(TOKEN) == 1
    call = tree.body[-1].value
    worker = call.args[2].value
    assert TOKEN not in worker
    ast.parse(worker, feature_version=(3, 9))
    assert "shipway.django" not in worker
    with pytest.raises(ValueError, match="hex digits"):
        inside_source("a token", InsideOptions("ab" * 8))


def answer(body: object) -> bytes:
    text = base64.b64encode(zlib.compress(json.dumps(body).encode())).decode()
    begin, end = probe_source.markers(TOKEN)
    return f"noise\n{begin}\n{text}\n{end}\n".encode()


WHOLE = {"where": {}, "end": {"whole": True}}


def test_values_come_back() -> None:
    node = {"answers": 1, "pid": 3, "queues": {"celery": ["", ""]}, "lacks": ["a"], "lacking": 1, "shared": 2}
    body = {
        **WHOLE,
        "database": [{"name": "default", "vendor": "postgresql", "wrote": True}],
        "cache.error": {"type": "KeyError", "message": "x", "file": "shop/settings.py", "line": 3},
        "workers": {"celery": {"nodes": {"celery@web-1": node}, "waiting": {"celery": 2}}},
    }
    inside = parse_inside(answer(body), TOKEN)
    assert inside.services["database"][0].wrote
    assert inside.faults == {"cache": "KeyError: x (shop/settings.py:3)"}
    celery = inside.workers["celery"]
    assert (celery.nodes[0].machine, celery.nodes[0].queues, celery.waiting_after) == (
        "web-1",
        ("celery",),
        {"celery": 2},
    )
    assert "cache" not in inside.services


def test_an_end_in_the_middle_is_told_and_the_rest_is_kept() -> None:
    body = {"where": {}, "at": "cache", "database": [{"name": "default"}], "end": {"why": "too slow"}}
    inside = parse_inside(answer(body), TOKEN)
    assert inside.cut == "asking the project about what it works with took too long, while looking at: cache"
    assert list(inside.services) == ["database"]


BROKEN = [
    [],
    {**WHOLE, "database": {}},
    {**WHOLE, "database": [{"name": 7}]},
    {**WHOLE, "workers": []},
    {**WHOLE, "workers": {"celery": {"nodes": {"x": {"answers": "many"}}}}},
    {**WHOLE, "workers": {"celery": {"waiting": {"q": True}}}},
    {**WHOLE, "workers": {"celery": {"probes": [{"state": "splendid"}]}}},
    {**WHOLE, "secure": 1},
]


@pytest.mark.parametrize("body", BROKEN)
def test_what_has_another_form_is_refused(body: object) -> None:
    with pytest.raises(ShipwayError):
        parse_inside(answer(body), TOKEN)


NAMES = st.sampled_from(["where", "end", "database", "workers", "nodes", "celery", "name"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner))


@given(JSON)
def test_nothing_but_an_error_of_ours_is_raised(body: object) -> None:
    with contextlib.suppress(ShipwayError):
        parse_inside(answer(body), TOKEN)
