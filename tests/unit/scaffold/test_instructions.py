"""Instructions of a Dockerfile mean to a shell and to Docker what was said."""

import json
import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipway.scaffold.instructions import command, copy, env, run, workdir

WORD = st.text(alphabet="ab/.'\"\\ $`;&|<>(){}[]*?!#%=:,-é~", max_size=60)


@settings(max_examples=40, deadline=None)
@given(st.lists(WORD, min_size=1, max_size=5))
def test_a_shell_sees_the_words(words: list[str]) -> None:
    line = run(("printf", "%s\\n", *words)).removeprefix("RUN ")
    # Docker joins lines that end in a backslash before any shell sees them.
    answer = subprocess.run(("sh", "-c", line.replace("\\\n", "")), capture_output=True, text=True, check=True)
    assert answer.stdout == "".join(f"{word}\n" for word in words)


@given(st.lists(st.text(), min_size=1))
def test_the_command_is_one_line(words: list[str]) -> None:
    line = command(words)
    assert "\n" not in line
    assert json.loads(line.removeprefix("CMD ")) == words


@pytest.mark.parametrize("path", ["a*", "a[b]", "$HOME", "a\\b", "a?"])
def test_patterns_are_refused(path: str) -> None:
    for make in (lambda: copy(path, target="."), lambda: workdir(path)):
        with pytest.raises(ValueError, match="cannot be written"):
            make()


def test_line_breaks_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        run(("echo", "a\nUSER root"))


def test_quoting() -> None:
    assert copy("a b", "c", target="d/") == 'COPY ["a b", "c", "d/"]'
    assert copy("/venv", target="/venv", stage="packages") == "COPY --from=packages /venv /venv"
    assert env("PATH", "/venv/bin:$PATH") == "ENV PATH=/venv/bin:$PATH"
    assert env("A", "b c $d") == 'ENV A="b c \\$d"'
    assert shlex.split(run(("a", "b c")).removeprefix("RUN ")) == ["a", "b c"]
