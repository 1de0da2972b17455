"""No text makes anything but a configuration or a ConfigError with a place."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipway.config.erb_expression import ErbFacts
from shipway.config.load import load_config
from shipway.config.summary import summary
from shipway.core.errors import ConfigError

FACTS = ErbFacts({"NAME": "a: b\n- c"}, "arm64", "0" * 40)
FIXTURES = [path.read_text() for path in sorted((Path(__file__).parent / "kamal" / "fixtures").glob("*.yml"))]
KEYS = (Path(__file__).parent / "fuzz_keys.txt").read_text().split()
WORDS = [*KEYS, *(Path(__file__).parent / "fuzz_words.txt").read_text().split()]
RUBY = [
    '"a"',
    "'b'",
    "1",
    "ENV",
    "ENV.fetch",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "?",
    ":",
    "||",
    "==",
    ",",
    "nil",
    " ",
    "\n",
]
RUBY += ["`git rev-parse HEAD`", "%x(ls)", "Kamal::Utils.docker_arch", ".strip", "=", "-", "<%=", "%>", '"#{x}"', "x()"]
YAML = [*"\n\n\n  ::-[]{},#'\"|>%", "- ", ": ", "\n  ", "<%", "%>", "-%>"]
EXTREMES = [
    *(text * 50_000 for text in ("- ", "[", "{a: ", "? ", "<%=")),
    "<%= " + "(" * 1_900 + "%>",
    "a: " + "9" * 10_000,
    "a: 0x" + "f" * 10_000,
    "x" * 1_000_001,
    *("\0", "\ud800", "<%", "%>", "---", "..."),
    *(
        "a: &a [*a]",
        "a: &a {b: &b {c: 1}}\n<<: *a\n<<: [*a, *b]",
        "? {a: b}\n: c",
        "!!set {a}",
        "servers: !!binary aGk=",
    ),
]
SCALAR = st.sampled_from(WORDS) | st.integers() | st.none() | st.booleans() | st.text(max_size=8)
BOUNDS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def tree() -> st.SearchStrategy[object]:
    keys = st.sampled_from(KEYS)
    inside = st.recursive(
        SCALAR, lambda part: st.lists(part, max_size=3) | st.dictionaries(keys, part, max_size=4), max_leaves=20
    )
    return st.dictionaries(keys, inside, max_size=8)


def loads_or_says_why(*texts: str) -> None:
    files = {f"config/deploy{n}.yml": text for n, text in enumerate(texts)}
    try:
        summary(load_config(files, destination="x" if len(texts) > 1 else None, facts=FACTS))
    except ConfigError as error:
        findings = error.findings
    else:
        return
    assert findings
    assert all(found.where.startswith("config/deploy") and ":" in found.where for found in findings)
    assert all(found.what for found in findings)


@BOUNDS
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    loads_or_says_why(text)


@BOUNDS
@given(st.lists(st.sampled_from([*WORDS, *YAML]), max_size=60))
def test_any_words_of_yaml(parts: list[str]) -> None:
    loads_or_says_why("".join(parts))


@BOUNDS
@given(tree(), tree())
def test_any_tree(base: object, over: object) -> None:
    # JSON is YAML.
    loads_or_says_why(json.dumps(base), json.dumps(over))


@BOUNDS
@given(
    st.sampled_from(FIXTURES), st.integers(0, 2000), st.integers(0, 40), st.sampled_from(WORDS) | st.text(max_size=5)
)
def test_damaged_files(text: str, start: int, length: int, word: str) -> None:
    loads_or_says_why(text[:start] + word + text[start + length :])


@BOUNDS
@given(st.lists(st.sampled_from(RUBY), max_size=15))
def test_any_erb(parts: list[str]) -> None:
    loads_or_says_why("service: <%=" + "".join(parts) + " %>\n")


@pytest.mark.parametrize("text", EXTREMES, ids=range(len(EXTREMES)))
def test_extremes(text: str) -> None:
    loads_or_says_why(text)


def test_shared_anchors_cost_no_exponential_time() -> None:
    lines = ["x-0: &a0 {k: 1, l: 2}", *(f"x-{n}: &a{n} {{k: *a{n - 1}, l: *a{n - 1}}}" for n in range(1, 30))]
    text = "\n".join(lines) + "\nlabels: *a29\nenv: *a29\n"
    loads_or_says_why(text, text)
