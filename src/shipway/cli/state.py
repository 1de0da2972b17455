"""What one call of `shipway` knows about itself from the first word to the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


class HungUp(Exception):
    """Whoever read our output has gone (`shipway logs | head`). click would exit 1 for the BrokenPipeError itself."""


def _as_it_is(text: str) -> str:
    return text


@dataclass(slots=True)
class Session:
    """Made by `main`, filled by the options of a verb, read when an error is told.

    `redact` takes secret values out of a text; a verb sets it once secrets are loaded.
    """

    json: bool = False
    redact: Callable[[str], str] = field(default=_as_it_is)
