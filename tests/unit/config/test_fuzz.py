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
WORDS = ["service", "image", "servers", "web", "hosts", "registry", "server", "username", "password", "builder", "arch", "remote", "env", "clear", "secret", "tags", "proxy", "host", "ssl", "run", "accessories", "role", "files", "directories", "options", "restart", "boot", "limit", "labels", "x-shipway", "runtime", "django", "hooks_output", "aliases", "ssh", "config", "logging", "a", "b", "1", "0", "-1", "1.5", "0640", "22:22", "yes", "null", "~", "2024-01-01", ":sym", "50%", "::", "<<", "*a", "&a", "!x"]
SCALAR = st.sampled_from(WORDS) | st.integers() | st.none() | st.booleans() | st.text(max_size=8)


def tree() -> st.SearchStrategy[object]:
    keys = st.sampled_from(WORDS[:50])
    inside = st.recursive(
        SCALAR, lambda part: st.lists(part, max_size=3) | st.dictionaries(keys, part, max_size=4), max_leaves=20
    )
    return st.dictionaries(keys, inside, max_size=8)


def loads_or_says_why(*texts: str) -> None:
    files = {f"config/deploy{n}.yml": text for n, text in enumerate(texts)}
    try:
        config = load_config(files, destination="x" if len(texts) > 1 else None, facts=FACTS)
    except ConfigError as error:
        assert error.findings
        assert all(found.where.startswith("config/deploy") and ":" in found.where for found in error.findings)
        assert all(found.what for found in error.findings)
    else:
        summary(config)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    loads_or_says_why(text)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([*WORDS, *"\n\n\n  ::-[]{},#'\"|>%", "- ", ": ", "\n  ", "<%", "%>", "-%>"]), max_size=60)
)
def test_any_words_of_yaml(parts: list[str]) -> None:
    loads_or_says_why("".join(parts))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree(), tree())
def test_any_tree(base: object, over: object) -> None:
    # JSON is YAML.
    loads_or_says_why(json.dumps(base), json.dumps(over))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FIXTURES), st.integers(0, 2000), st.integers(0, 40), st.sampled_from(WORDS) | st.text(max_size=5)
)
def test_damaged_files(text: str, start: int, length: int, word: str) -> None:
    loads_or_says_why(text[:start] + word + text[start + length :])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(
    ['"a"', "'b'", "1", "ENV", "ENV.fetch", "[", "]", "(", ")", "{", "}", "?", ":", "||", "==", ",", "`git rev-parse HEAD`",
     "%x(ls)", "nil", "Kamal::Utils.docker_arch", ".strip", " ", "\n", "=", "-", "<%=", "%>", '"#{x}"', "system('x')"]
), max_size=15))  # fmt: skip
def test_any_erb(parts: list[str]) -> None:
    loads_or_says_why("service: <%=" + "".join(parts) + " %>\n")


@pytest.mark.parametrize(
    "text",
    ["- " * 50_000, "[" * 50_000, "{a: " * 50_000, "? " * 50_000, "<%=" * 50_000, "<%= " + "(" * 1_900 + "%>",
     "a: " + "9" * 10_000, "a: 0x" + "f" * 10_000, "\0", "\ud800", "a: &a [*a]", "x" * 1_000_001, "<%", "%>", "---", "...",
     "a: &a {b: &b {c: 1}}\n<<: *a\n<<: [*a, *b]", "? {a: b}\n: c", "!!set {a}", "servers: !!binary aGk="],
    ids=range(20),
)  # fmt: skip
def test_extremes(text: str) -> None:
    loads_or_says_why(text)


def test_shared_anchors_cost_no_exponential_time() -> None:
    lines = ["x-0: &a0 {k: 1, l: 2}", *(f"x-{n}: &a{n} {{k: *a{n - 1}, l: *a{n - 1}}}" for n in range(1, 30))]
    text = "\n".join(lines) + "\nlabels: *a29\nenv: *a29\n"
    loads_or_says_why(text, text)
