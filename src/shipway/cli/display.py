"""Which display a run gets: JSON lines, a live display, or plain lines."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

from shipway.cli.options import Given
from shipway.cli.render.json_lines import JsonLines
from shipway.cli.render.plain import Plain
from shipway.cli.render.text import is_terminal, paint_for
from shipway.core.events import Event


class Display(Protocol):
    """Shows a run while it runs; entered before the first event and left after the last."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def listen(self, event: Event) -> None:
        """Show one event."""
        ...

    def aside(self) -> AbstractContextManager[None]:
        """Leave the terminal to a question meanwhile."""
        ...


def display_for(given: Given) -> Display:
    """Return the display for a call. Events go to standard error, except as JSON, where they are the answer."""
    if given.json:
        return JsonLines(sys.stdout)
    if given.verbosity >= 0 and is_terminal(sys.stderr):
        from shipway.cli.render.terminal import Terminal

        return Terminal(sys.stderr, paint_for(sys.stderr), given.verbosity)
    return Plain(sys.stderr, paint_for(sys.stderr), given.verbosity)
