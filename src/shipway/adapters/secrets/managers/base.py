"""The protocol of a password manager, and what its adapters share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shipway.adapters.secrets.programs import Programs, Ran
from shipway.adapters.secrets.redact import last_lines
from shipway.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `secrets fetch` was asked: names, an account and a source ("" when not given)."""

    names: tuple[str, ...]
    account: str = ""
    source: str = ""

    def paths(self) -> tuple[str, ...]:
        """Return the names with `<source>/` in front, where there is a source."""
        return tuple(f"{self.source}/{name}" if self.source else name for name in self.names)


class Manager(Protocol):
    """One password manager, spoken to through its own command-line program.

    `title` names it in messages; `program` is what must be installed ("" for none).
    """

    title: str
    program: str
    needs_account: bool

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return the values by their full names; raises ConfigError `secrets.fetch_failed` with the manager's words.

        Signs in where that is needed, which may ask on the terminal.
        """
        ...


def failed(what: str, ran: Ran | None = None, *, next: str = "") -> ConfigError:
    """Return the error of a manager: `what`, and the last words of the program that said no."""
    said = last_lines(ran.stderr.decode("utf-8", "replace")) if ran is not None else ""
    if ran is not None and ran.timed_out:
        what += ", which did not end in time"
    return ConfigError("secrets.fetch_failed", f"{what}: {said}" if said else what, next=next)


def parse_json(text: bytes, what: str) -> Any:
    """Return the JSON of `text`; raises the error `what` for anything else, without quoting it."""
    try:
        return json.loads(text)
    except ValueError:
        raise failed(f"{what}: the answer was no JSON") from None


def objects(answer: object) -> tuple[Mapping[str, Any], ...]:
    """Return the objects of a JSON list, or a lone object as one; what is no object is left out."""
    items: Sequence[object] = answer if isinstance(answer, list) else (answer,)
    return tuple(item for item in items if isinstance(item, dict))


def require_names(wanted: Wanted) -> None:
    """Raise ConfigError when nothing was asked for."""
    if not wanted.names:
        raise failed("No secrets given to fetch", next="name them after the options of `secrets fetch`")


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the second items of `pairs` by their first items, both in order."""
    groups: dict[str, list[str]] = {}
    for key, item in pairs:
        groups.setdefault(key, []).append(item)
    return groups
