"""A run for a person who watches: finished stages above, below them a line per host that changes in place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self, TextIO

from shipway.cli.render.board import Board
from shipway.cli.render.plain import event_text
from shipway.cli.render.text import Paint, duration
from shipway.core.events import Event, EventKind

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

_PRINTED: frozenset[EventKind] = frozenset(
    {
        "run.begin",
        "run.commit",
        "run.unwinding",
        "step.failed",
        "step.undone",
        "step.undo_failed",
        "warning",
        "check.failed",
        "hook.begin",
        "hook.output",
        "hook.failed",
    }
)


class Terminal:
    """A display on a terminal. rich is imported when the display starts, not before."""

    def __init__(self, stream: TextIO, paint: Paint, verbosity: int = 0) -> None:
        self._stream, self._paint, self._verbosity = stream, paint, verbosity
        self._board = Board()
        self._offset_s: float | None = None
        self._console: Console | None = None
        self._live: Live | None = None

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=self._stream, highlight=False, no_color=not self._paint.enabled)
        self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=8, transient=True)
        self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._live is not None:
            with suppress(OSError):  # a terminal that was closed must not hide how the run ended
                self._live.stop()
            self._live = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Stop drawing while somebody is asked: rich keeps back what is written without a newline, a question too."""
        live = self._live
        if live is not None:
            live.stop()
        yield
        if live is not None:
            live.start()

    def listen(self, event: Event) -> None:
        """Show `event`."""
        # The display's clock goes on between events; theirs may be another one, so only the difference counts.
        self._offset_s = event.at_s - time.monotonic()
        began_s = self._board.since_s
        self._board.apply(event)
        if event.kind == "stage.done":
            took = duration(event.took_s or event.at_s - began_s)
            self._print(self._paint("green", "✓") + f" {event.title or event.stage}  {self._paint('dim', took)}")
        elif event.kind in _PRINTED or (self._verbosity > 0 and event.kind.startswith("step.")):
            self._print(event_text(event, self._paint))

    def _print(self, text: str) -> None:
        if self._console is not None and text:
            from rich.text import Text

            self._console.print(Text.from_ansi(text))

    def _render(self) -> Text:
        from rich.text import Text

        now_s = time.monotonic() + (self._offset_s or 0.0)
        return Text("\n".join(self._board.lines(now_s)), overflow="ellipsis", no_wrap=True)
