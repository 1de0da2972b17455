"""Texts and words as POSIX shell source: exact for every character, with secrets as variables that are read later."""

from __future__ import annotations

import math
import shlex
import textwrap
from collections.abc import Iterator, Sequence
from importlib import resources

from shipway.core.action import UPLOAD_SCRIPT, Action, Command, Pipe, lower
from shipway.core.secret import SecretRef, Text

_END = "END_OF_TEXT"
WIDTH = 116
LIBRARY = resources.files(__package__ or "").joinpath("by_hand.sh").read_text(encoding="utf-8")
"""What is the same in every written script."""


class Texts:
    """The standard inputs and files of a script, each a function; equal ones are one."""

    def __init__(self) -> None:
        self._names: dict[Text, str] = {}

    def name(self, text: Text) -> str:
        """Return the function that prints `text`."""
        return self._names.setdefault(text, f"text_{len(self._names) + 1}")

    def source(self) -> list[str]:
        """Return the functions as lines of shell."""
        lines: list[str] = []
        for text, name in self._names.items():
            lines += [f"{name}() {{", *_body(text), "}", ""]
        return lines


def _body(text: Text) -> list[str]:
    lines: list[str] = []
    for part in _joined(text):
        if isinstance(part, SecretRef):
            lines.append(f'  secret_{part.encoding} "$secret_{part.name}"')
            continue
        head, newline, tail = part.rpartition("\n")
        if newline:
            end = _END
            while end in head.split("\n"):
                end += "_"
            lines += [f"cat <<'{end}'", head, end]
        if tail:
            lines.append(f"  printf %s {shlex.quote(tail)}")
    return lines or ["  :"]


def _joined(text: Text) -> list[str | SecretRef]:
    """Return the parts, with literal ones that stand side by side as one."""
    parts: list[str | SecretRef] = []
    for part in text:
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return parts


def calls(host: str, actions: Sequence[Action], texts: Texts) -> list[str]:
    """Return what does `actions` on `host`, in their order and up to the first that fails, as lines of shell."""
    lines = [call(host, action, texts) for action in actions]
    return [f"  {line}{' &&' if number < len(lines) else ''}" for number, line in enumerate(lines, 1)]


def call(host: str, action: Action, texts: Texts) -> str:
    """Return one action as a line of shell."""
    if isinstance(action, Pipe):
        source = action.source.shell()
        given = f"{texts.name(action.source.stdin)} | {source}" if action.source.stdin else f"{source} </dev/null"
        return _pipe(given, _on(host, action.sink))
    command = lower(action)
    if words := upload_words(command):
        return f"{texts.name(command.stdin)} | upload {shlex.quote(host)} {shlex.quote(words)}"
    given = f"{texts.name(command.stdin)} | " if command.stdin else ""
    return f"{given}{_on(host, command)}" + ("" if command.stdin else " </dev/null")


def upload_words(command: Command) -> str:
    """Return path and mode, as words of shell, of what an `Upload` was lowered to; "" for any other command."""
    is_upload = command.argv[:3] == ("sh", "-c", UPLOAD_SCRIPT) and not command.sudo
    return shlex.join(command.argv[4:]) if is_upload else ""


def _pipe(given: str, sink: str) -> str:
    return f'{{ {given} || : >"$work/torn"; }} | {sink} && [ ! -e "$work/torn" ]'


def _on(host: str, command: Command) -> str:
    return f"on {shlex.quote(host)} {max(1, math.ceil(command.limit_s))} {shlex.quote(command.shell())}"


def library_function(*names: str) -> Iterator[str]:
    """Yield functions of the part that is the same in every script, as lines of shell."""
    is_inside = False
    for line in LIBRARY.splitlines():
        is_head = line.partition("(")[0] in names
        if is_head or is_inside:
            yield line
            is_inside = line != "}" and not (is_head and line.endswith("}"))


def comment(text: str, indent: str = "") -> list[str]:
    """Return `text` as lines of comment; a line that begins with a space is kept as it is."""
    lines: list[str] = []
    for line in text.splitlines():
        printable = "".join(c if c.isprintable() else "?" for c in line)
        wrapped = [printable] if printable[:1] == " " else textwrap.wrap(printable, WIDTH) or [""]
        lines += [f"{indent}# {one}".rstrip() for one in wrapped]
    return lines
