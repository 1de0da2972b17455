"""What a use case is told by whoever calls it, and how it talks back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shipway.core.events import Event

if TYPE_CHECKING:
    from shipway.app.answers import Preview

Redact = Callable[[str], str]


def _deaf(_event: Event) -> None:
    """Listen to nothing."""


def _mute(_text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which service is meant, and which part of it: file, destination, patterns of hosts and roles ((): all).

    `version`: the one that is meant ("": VERSION of the environment, else HEAD).
    """

    config_file: str | None = None
    destination: str | None = None
    hosts: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    version: str = ""

    @property
    def options(self) -> str:
        """The words that make a printed command mean the same service, each with a space before it."""
        file = f" -c {self.config_file}" if self.config_file else ""
        return file + (f" -d {self.destination}" if self.destination else "")


@dataclass(frozen=True, slots=True)
class Caller:
    """How a use case talks back.

    `listen` gets the events of a run, `say` sentences for a person, `confirm` a plan to agree to (None: nobody is
    asked), `consent` one that nobody may run without having been told of it (None: nobody can be asked, and `--yes` was
    not given), `on_secrets` a function that takes secret values out of a text, as soon as there is one.
    """

    listen: Callable[[Event], None] = _deaf
    say: Callable[[str], None] = _mute
    confirm: Callable[[Preview], bool] | None = None
    consent: Callable[[Preview], bool] | None = None
    on_secrets: Callable[[Redact], None] = field(default=lambda _redact: None)
    note: str = ""
