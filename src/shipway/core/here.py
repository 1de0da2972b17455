"""What is done on the operator's machine before the servers are touched: building and pushing an image.

Such steps change nothing on a server, so they have no undo and stand in no ledger. Like a plan they are data: what is
shown is what runs.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from shipway.core.secret import Text

HERE = "here"
"""The word for the operator's machine where otherwise the name of a host stands."""

BUILD_LIMIT_S = 3600.0
"""Nothing that is done here may take longer than an hour: a build that hangs is to end some day."""


@dataclass(frozen=True, slots=True)
class HereStep:
    """One program run here, in `directory` ("" for the current one).

    `argv` holds words, never a secret. `stdin` and the values of `env` (added to our own environment) may refer to
    secrets. `done` exits 0 when the step is not needed; () for a step that always runs. After an error with one of the
    codes `passing` it is done again, once for each of the pauses `again_after_s`: it must do no harm twice.
    """

    id: str
    title: str
    argv: tuple[str, ...]
    stdin: Text = ()
    env: tuple[tuple[str, Text], ...] = ()
    directory: str = ""
    done: tuple[str, ...] = ()
    limit_s: float = BUILD_LIMIT_S
    passing: tuple[str, ...] = ()
    again_after_s: tuple[float, ...] = ()

    def shell(self) -> str:
        """Return the step as one line of shell for a person: no input, of the environment the names alone."""
        return shlex.join(self.argv) + (" < (input)" if self.stdin else "")


@dataclass(frozen=True, slots=True)
class HereStage:
    """Tracks that run side by side; the steps of one track run in order."""

    title: str
    tracks: tuple[tuple[HereStep, ...], ...]
