"""Values put into commands: whatever they hold, a real shell must give them back as data."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipway.config.dotenv_shell import Value, escape_word, render_command

NASTY = """a"b'c$HOME`id`$(id)\\n;|&>x *é"""
SHOW = "printf '%s|' "


def run(command: str) -> str:
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=20).stdout


@pytest.mark.parametrize(
    ("before", "after"),
    [('"', '"'), ("'", "'"), ('"$(printf %s "', '")"'), ("$(printf %s '", "' | cat)"), ("\"it's (", ')"')],
)
def test_a_quoted_value_is_one_word_as_it_is(before: str, after: str) -> None:
    nasty = NASTY if not before.startswith("$") else "no-space$HOME`id`;|&é"
    expected = run(render_command([SHOW + before, "X", after])).replace("X", nasty)
    assert run(render_command([SHOW + before, Value(nasty), after])) == expected


def test_a_bare_value_is_split_at_white_space_only() -> None:
    assert run(render_command([SHOW + "pre", Value("a  $HOME\n'b"), "post"])) == "prea|$HOME|'bpost|"


def test_a_bare_shell_word_is_the_word_that_it_means() -> None:
    json = '{"a b":"c$d"}'
    for quote in ("", '"', "'"):
        assert run(render_command([SHOW + quote, Value(escape_word(json), json), quote])) == f"{json}|"


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=30))
def test_an_escaped_word_is_read_back(text: str) -> None:
    assert shlex.split(escape_word(text)) == [text]


def test_an_escaped_word_looks_as_ruby_writes_it() -> None:
    assert escape_word('{"a/b":"$x y\nz"}') == '\\{\\"a/b\\":\\"\\$x\\ y\'\n\'z\\"\\}'
