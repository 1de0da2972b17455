"""The environment of an accessory as a file of shell assignments."""

from __future__ import annotations

import re
import shlex

from shipway.core.secret import SecretRef, Text

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# What Kamal leaves to the shell of the host: `${NAME}`, here also with a default of plain characters.
_FROM_HOST = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(:?-[^$`\"\\}]*)?\}")


def env_text(env: tuple[tuple[str, Text], ...]) -> Text:
    """Return `env` as assignments in POSIX shell, one a line; secrets are references.

    `${NAME}` in a clear value is taken from the host's environment. Raises ValueError for a name that no environment
    can have, and for a NUL in a value.
    """
    parts: list[str | SecretRef] = []
    for name, value in env:
        if not _NAME.match(name):
            raise ValueError(f"`{name}` cannot be the name of an environment variable")
        parts.append(f"{name}=")
        parts += [
            SecretRef(part.name, "shell") if isinstance(part, SecretRef) else _clear(name, part) for part in value
        ]
        parts.append("\n")
    return tuple(parts)


def _clear(name: str, text: str) -> str:
    """Return a clear value as one shell word."""
    if "\0" in text:
        raise ValueError(f"the value of `{name}` holds a NUL")
    words, at = [], 0
    for found in _FROM_HOST.finditer(text):
        words += [shlex.quote(text[at : found.start()])] if found.start() > at else []
        words.append(f'"${{{found[1]}{found[2] or "-"}}}"')
        at = found.end()
    return "".join([*words, shlex.quote(text[at:])] if at < len(text) or not words else words)
