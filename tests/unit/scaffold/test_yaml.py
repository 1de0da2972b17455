"""YAML that is written is read back as it was, whatever stands in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipway.config.erb import render_erb
from shipway.config.erb_expression import ErbFacts
from shipway.config.parse import parse_yaml
from shipway.config.tree import ListNode, MapNode, Node, ScalarNode
from shipway.scaffold.yaml import Noted, comment, render_yaml, scalar

ODD = [
    *[
        "yes",
        "NULL",
        "~",
        "1",
        "1e3",
        "0x10",
        "1:30",
        "2026-01-01",
        ".5",
        "-",
        "'",
        "%",
        "@x",
        "`x`",
        "*a",
        "&a",
        "!t",
        "|",
        ">",
        "{a}",
        "[a]",
        "a,b",
        "%>",
        "<%%",
        "=",
        "<<",
        "a:",
        "?",
        "---",
        "...",
        "1_000",
    ],
    *("", " ", "- a", "a: b", "a #b", "#a", '"', "? a", "<%= ENV['X'] %>", "\\", "a\nb", "a\r\n", "\t", "\x00", "\x85"),
    *("\u2028", "\ufeff", "\ud800", "\U0001f600", "\xe9", "192.0.2.1"),
]
TEXT = st.text() | st.sampled_from(ODD) | st.text(alphabet="<%=>#:-'\"\\ \n{}[]&*!|y1.")


def read(text: str) -> dict[str, object]:
    rendered = render_erb(text, "deploy.yml", ErbFacts())
    assert not rendered.findings
    tree, findings = parse_yaml(rendered.text, "deploy.yml", rendered.lines)
    assert not findings
    return plain(tree)


def plain(node: Node | None) -> object:
    match node:
        case MapNode(entries=entries):
            return {name: plain(entry.node) for name, entry in entries.items()}
        case ListNode(items=items):
            return [plain(item) for item in items]
        case ScalarNode(value=value):
            return value
    return None


def written(text: str) -> str:
    """Half a surrogate pair is no character, and is written as the sign for that."""
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


@given(TEXT, TEXT, TEXT)
def test_texts_come_back(key: str, value: str, note: str) -> None:
    document = {
        "a": Noted({written(key): value}, above=(note,), beside=note, below=(note,)),
        "b": Noted([value], above=(note,)),
    }
    document |= {"c": Noted(value, beside=note), "n": 3, "t": True, "m": {}, "l": []}
    wanted = written(value)
    found = read(render_yaml(document, head=(note,)))
    assert found == {"a": {written(key): wanted}, "b": [wanted], "c": wanted, "n": 3, "t": True, "m": {}, "l": []}


@pytest.mark.parametrize(
    "text",
    [
        "shop",
        "shop.example.org",
        "192.0.2.10",
        "celery -A shop worker --loglevel INFO",
        "postgres:16",
        "data:/data",
        "/up",
        "redis://shop-redis:6379/0",
        "none",
    ],
)
def test_usual_values_have_no_quotes(text: str) -> None:
    assert scalar(text) == text


def test_comments_are_wrapped_and_never_leave_their_line() -> None:
    assert all(len(line) <= 100 and line.startswith("  # ") for line in comment("word " * 60, "  "))
    assert comment("a\r\x85b\u2028c") == ["# a  b c"]
