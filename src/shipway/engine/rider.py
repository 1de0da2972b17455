"""What rides in an exchange with something else, and so costs no round trip of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shipway.core.ports import Request, Result


class Rider(Protocol):
    """Requests that stop nothing, and who wants their results."""

    def requests(self) -> tuple[Request, ...]:
        """Return the requests; they are sent at once."""
        ...

    def take(self, results: Sequence[Result]) -> None:
        """Take in the results: one for each request, or fewer when not all of them ran."""
        ...
