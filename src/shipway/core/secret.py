"""References to secrets, and the encodings in which a value is written into a file.

A secret's value exists only inside a transport while it is sent. Everything above (plan, ledger, preview, errors)
holds `SecretRef`, which is a name and can be printed and stored.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Literal

Encoding = Literal["raw", "shell", "json"]
"""How a value is written: as it is, as one POSIX shell word, or as a JSON string."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The name of a secret, and how its value is to be written where the reference stands."""

    name: str
    encoding: Encoding = "raw"


Text = tuple[str | SecretRef, ...]
"""The body of a file or a standard input: literal parts and references, joined without separators."""


def encode(value: str, encoding: Encoding) -> str:
    """Return `value` as it is written under `encoding`."""
    match encoding:
        case "raw":
            return value
        case "shell":
            return shlex.quote(value)
        case "json":
            return json.dumps(value)


def secret_names(text: Text) -> tuple[str, ...]:
    """Return the names of the secrets that `text` refers to, in order of appearance."""
    return tuple(part.name for part in text if isinstance(part, SecretRef))
