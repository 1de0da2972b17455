"""Texts and words as POSIX shell source: exact for every character, with secrets as variables that are read later."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from shipway.core.action import UPLOAD_SCRIPT, Action, Command, Pipe, lower
from shipway.core.secret import SecretRef, Text

_END = "END_OF_TEXT"


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
    if command.argv[:3] == ("sh", "-c", UPLOAD_SCRIPT) and not command.sudo:
        words = shlex.quote(shlex.join(command.argv[4:]))
        return f"{texts.name(command.stdin)} | upload {shlex.quote(host)} {words}"
    given = f"{texts.name(command.stdin)} | " if command.stdin else ""
    return f"{given}{_on(host, command)}" + ("" if command.stdin else " </dev/null")


def _pipe(given: str, sink: str) -> str:
    return f'{{ {given} || : >"$work/torn"; }} | {sink} && [ ! -e "$work/torn" ]'


def _on(host: str, command: Command) -> str:
    return f"on {shlex.quote(host)} {max(1, math.ceil(command.limit_s))} {shlex.quote(command.shell())}"
