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

    `is_primary_only`: of the hosts that are meant, the primary alone. `version`: the one that is meant ("": VERSION of
    the environment, else HEAD).
    """

    config_file: str | None = None
    destination: str | None = None
    hosts: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    is_primary_only: bool = False
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
    not given), `ask` a question that a person answers with yes or no (None: nobody is there), `on_secrets` a function
    that takes secret values out of a text, as soon as there is one.

    `by` is who somebody says that they are ("": that is to be found out). `command` are the words that were called
    (`app`, `boot`); `hooks_run` are the hooks that ran in this call. The lock of another run is waited for up to
    `lock_wait_s`, and asked for every `lock_every_s`.
    """

    listen: Callable[[Event], None] = _deaf
    say: Callable[[str], None] = _mute
    confirm: Callable[[Preview], bool] | None = None
    consent: Callable[[Preview], bool] | None = None
    ask: Callable[[str], bool] | None = None
    on_secrets: Callable[[Redact], None] = field(default=lambda _redact: None)
    note: str = ""
    command: tuple[str, ...] = ()
    skips_hooks: bool = False
    is_verbose: bool = False
    hooks_run: set[str] = field(default_factory=set)
    by: str = ""
    lock_wait_s: float = 0.0
    lock_every_s: float = 2.0
