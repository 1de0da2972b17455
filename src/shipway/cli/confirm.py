"""The question before data is deleted: the name of what goes has to be typed."""

from __future__ import annotations

import sys

import click

from shipway.cli.options import Given
from shipway.cli.render.text import is_terminal
from shipway.core.errors import Interrupted, UsageError


def require_person(given: Given, words: str, does: str) -> None:
    """Raise UsageError where nobody said -y and nobody can be asked. `words` are the command, `does` what it does."""
    if given.yes:
        return
    if given.json or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise UsageError(
            "usage.needs_yes",
            f"`shipway {words}` {does}, and nobody is here to confirm it",
            next=f"`shipway {words} -y`",
        )


def require_typed(given: Given, name: str, words: str, does: str) -> None:
    """Return once somebody has typed `name`, or said -y. `words` are the command, `does` says what it does.

    Raises UsageError where nobody can be asked, Interrupted for another answer.
    """
    if given.yes:
        return
    require_person(given, words, does)
    typed = click.prompt(f"This {does}. Type `{name}` to go on", err=True, default="", show_default=False)
    if typed.strip() != name:
        raise Interrupted("run.declined", f"`{name}` was not typed", now="nothing was changed")
