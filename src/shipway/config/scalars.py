"""What a plain YAML 1.1 scalar means, by the rules of Ruby's Psych, with which Kamal reads its files."""

from __future__ import annotations

import re

from shipway.config.tree import ScalarKind, ScalarValue

# psych/scalar_scanner.rb, in the order of its `tokenize`
_DATE = re.compile(r"\d{4}-(?:1[012]|0\d|\d)-(?:[12]\d|3[01]|0\d|\d)")
_TIME = re.compile(
    r"-?\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d(?:\.\d*)?(?:\s*(?:Z|[-+]\d{1,2}:?(?:\d\d)?))?\s*"
)
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}")
_SEXAGESIMAL_FLOAT = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9]){1,2}\.[0-9_]*")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][+-][0-9]+)?")
_BINARY = re.compile(r"[-+]?0[bB][01_,]+")
_OCTAL = re.compile(r"[-+]?0[0-7_,]+")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)")
_HEXADECIMAL = re.compile(r"[-+]?0[xX][0-9a-fA-F_,]+")
_TRUE = frozenset({"yes", "true", "on"})
_FALSE = frozenset({"no", "false", "off"})
_INFINITE = frozenset({".inf", "+.inf", "-.inf"})
# An integer longer than this is no setting of anything; Python refuses to print one of over 4300 digits.
_MAX_DIGITS = 40


def read_scalar(text: str) -> tuple[ScalarValue, ScalarKind]:
    """Return the value and kind of a plain (unquoted) scalar."""
    lower = text.lower()
    value: ScalarValue = text
    kind: ScalarKind = "string"
    if text in ("", "~") or lower == "null":
        value, kind = None, "null"
    elif lower in _TRUE or lower in _FALSE:
        value, kind = lower in _TRUE, "boolean"
    elif _DATE.fullmatch(text) or _TIME.fullmatch(text):
        kind = "date"
    elif lower in _INFINITE or lower == ".nan":
        value, kind = float(lower.replace(".", "", 1)), "float"
    elif text.startswith(":") and len(text) > 1 and not text.startswith("::"):
        value = _symbol(text)
    else:
        value, kind = _number(text)
    return value, kind


def _symbol(text: str) -> str:
    # A Ruby symbol, `:verbose` or `:"verbose"`. `::1` is a symbol to Psych as well; it is an address to us.
    name = text[1:]
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'" else name


def _number(text: str) -> tuple[ScalarValue, ScalarKind]:
    if len(text) > _MAX_DIGITS or not text.isascii():
        return text, "string"
    if _SEXAGESIMAL.fullmatch(text):
        return _sexagesimal(text), "integer"
    if _SEXAGESIMAL_FLOAT.fullmatch(text):
        return float(_sexagesimal(text.split(".", 1)[0])), "float"
    digits = text.replace(",", "").replace("_", "")
    if _FLOAT.fullmatch(text) and any(letter.isdigit() for letter in text):
        return float(digits), "float"
    for pattern, base in ((_BINARY, 2), (_OCTAL, 8), (_DECIMAL, 10), (_HEXADECIMAL, 16)):
        if pattern.fullmatch(text):
            try:
                return int(digits, base), "integer"
            except ValueError:
                break
    return text, "string"


def _sexagesimal(text: str) -> int:
    # Psych weighs the first part by 3600 whether two or three parts follow: `22:22` is 80520.
    return sum(int(part.replace("_", "")) * 60 ** abs(place - 2) for place, part in enumerate(text.split(":")))


def is_sexagesimal(text: str) -> bool:
    """Return whether YAML 1.1 reads `text` as a number in base 60, such as a pair of ports `22:22`."""
    return _SEXAGESIMAL.fullmatch(text) is not None


def is_octal(text: str) -> bool:
    """Return whether YAML 1.1 reads `text` as a number in base 8, such as a file mode `0640`."""
    return _OCTAL.fullmatch(text) is not None
