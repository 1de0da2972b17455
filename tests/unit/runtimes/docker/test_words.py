from __future__ import annotations

import subprocess

import pytest

from shipway.runtimes.docker.launch_script import expanded
from shipway.runtimes.docker.words import quoted, raw, split

HOST = {"HOME": "/home/deploy", "N": "two words"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("", ()),
        ("bin/jobs", ("bin/jobs",)),
        ("  celery  -A shop\tworker ", ("celery", "-A", "shop", "worker")),
        ("sh -c 'exec gunicorn -b 0.0.0.0:$PORT && true'", ("sh", "-c", "exec gunicorn -b 0.0.0.0:$PORT && true")),
        ('run "a b" c\\ d', ("run", "a b", "c d")),
        ('"x \\" \\$HOME \\n"', ('x " $HOME \\n',)),
        ("a''b \"\"", ("ab", "")),
        ("--home=$HOME/${HOME}x '$HOME'", ("--home=/home/deploy//home/deployx", "$HOME")),
        ("${NOWHERE:-there} ${NOWHERE}", ("there", "")),
        ("cost 5$ $$", ("cost", "5$", "$$")),
    ],
)
def test_a_command_is_read_as_a_shell_reads_it(
    command: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    for name, value in HOST.items():
        monkeypatch.setenv(name, value)
    assert tuple(expanded(word) for word in split(command)) == words


def test_quotes_are_those_of_a_real_shell() -> None:
    for command in ("a 'b c' \"d 'e' \\\\ f\" g\\'h", "x\"y\"'z'", "'a'\\''b'"):
        said = subprocess.run(["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True)
        assert "\n".join(split(command)) == said.stdout.rstrip("\n")


@pytest.mark.parametrize("command", ["a && b", "a > b", "a; b", "a | b", "(a)", "a\nb", "a 'b", 'a "b', "a \\"])
def test_what_is_no_simple_command_is_refused(command: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the message names the command
        split(command)


def test_values_in_quotes_expand_braces_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    for text, value in (("$HOME ${HOME} `x` $(y)", "$HOME /h `x` $(y)"), ("${HOME", "${HOME"), ("${a b}", "${a b}")):
        assert expanded(quoted(text)) == value
    assert expanded(raw("$HOME/data:/data")) == "/h/data:/data"
