"""YAML from values, with comments. Written for `deploy.yml`: block style, one way to write each value.

A text that could be read as anything else stands in double quotes. ERB reads the file before YAML does, so `<%` never
appears in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

WIDTH = 100
"""Where the lines of a comment end."""
# First a letter, `_` or `/`; within, nothing that begins a comment or a mapping. What begins with a digit could be a
# number, a time or a date, and gets quotes; an IPv4 address cannot.
_PLAIN = re.compile(r"(?:[A-Za-z_/][A-Za-z0-9_./@+=,-]*(?::[A-Za-z0-9_./@+=,-]+)*|\d+\.\d+\.\d+\.\d+)")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./@+=:-]*[A-Za-z0-9_./@+=-]")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with comments: lines above its key, a few words beside it, lines below it."""

    value: Value
    above: tuple[str, ...] = ()
    beside: str = ""
    below: tuple[str, ...] = ()


Value = str | int | bool | Mapping[str, "Value"] | Sequence["Value"] | Noted


def render_yaml(root: Mapping[str, Value], *, head: Sequence[str] = ()) -> str:
    """Return the text of a document whose root is a map; `head` are the comments at its beginning."""
    lines = [line for text in head for line in comment(text)]
    for number, (name, value) in enumerate(root.items()):
        noted = _noted(value)
        is_block = isinstance(noted.value, (Mapping, list, tuple)) or bool(noted.above)
        if is_block and (number or head):
            lines.append("")
        lines += _entry(name, noted, "")
    return "\n".join(lines) + "\n"


def comment(text: str, indent: str = "") -> list[str]:
    """Return a comment as lines of at most `WIDTH` characters; a line break in it is kept."""
    lines: list[str] = []
    for part in text.split("\n"):
        words, line = _harmless(part).split(" "), ""
        for word in words:
            if line and len(f"{indent}# {line} {word}") > WIDTH:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(line)
    return [f"{indent}# {line}".rstrip() for line in lines]


def scalar(value: str | int) -> str:
    """Return a single value as YAML: plain where nothing else could be read, else in double quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    first, *rest = value.split(" ")
    is_plain = _PLAIN.fullmatch(first) and all(_PLAIN_WORD.fullmatch(word) for word in rest)
    if is_plain and value.lower() not in _WORDS:
        return value
    return '"' + "".join(_escaped(letter) for letter in value).replace("<%", "\\x3c%").replace("%>", "%\\x3e") + '"'


def _escaped(letter: str) -> str:
    if letter in _SHORT:
        return _SHORT[letter]
    code = ord(letter)
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  half a pair: no character at all
        return "\\uFFFD"
    if letter.isprintable() and letter != "\ufeff":
        return letter
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def _harmless(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown.replace("<%", "< %").replace("%>", "% >")


def _noted(value: Value) -> Noted:
    return value if isinstance(value, Noted) else Noted(value)


def _entry(name: str, noted: Noted, indent: str) -> Iterator[str]:
    for text in noted.above:
        yield from comment(text, indent)
    beside = f"  # {_harmless(noted.beside)}" if noted.beside else ""
    value = noted.value
    if isinstance(value, str) and _is_literal(value):
        yield f"{indent}{scalar(name)}: |{beside}"
        yield from (f"{indent}  {line}".rstrip() for line in value.split("\n")[:-1])
    elif isinstance(value, (str, int)):
        yield f"{indent}{scalar(name)}: {scalar(value)}{beside}"
    elif not value:
        yield f"{indent}{scalar(name)}: {'{}' if isinstance(value, Mapping) else '[]'}{beside}"
    else:
        yield f"{indent}{scalar(name)}:{beside}"
        yield from _block(value, f"{indent}  ")
    for text in noted.below:
        yield from comment(text, f"{indent}  " if not isinstance(value, (str, int)) else indent)


def _block(value: Value, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _entry(name, _noted(one), indent)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            yield from _item(_noted(one), indent)


def _is_literal(value: str) -> bool:
    """Whether a text can stand as it is, as lines of a block."""
    lines = value.split("\n")
    is_even = all(line == line.rstrip() and (not line or line.isprintable()) for line in lines)
    return (
        len(lines) > 1
        and not lines[-1]
        and bool(lines[-2])
        and is_even
        and value[:1] not in " \n"
        and "<%" not in value
    )


def _item(noted: Noted, indent: str) -> Iterator[str]:
    """One item of a list: a single value, or a map."""
    for text in noted.above:
        yield from comment(text, indent)
    beside = f"  # {_harmless(noted.beside)}" if noted.beside else ""
    if isinstance(noted.value, Mapping):
        lines = list(_block(noted.value, f"{indent}  "))
        yield f"{indent}- {lines[0].lstrip()}"
        yield from lines[1:]
        return
    if not isinstance(noted.value, (str, int)):
        raise TypeError("an item of a list is a single value or a map")
    if isinstance(noted.value, str) and _is_literal(noted.value):
        yield f"{indent}- |{beside}"
        yield from (f"{indent}  {line}".rstrip() for line in noted.value.split("\n")[:-1])
        return
    yield f"{indent}- {scalar(noted.value)}{beside}"
