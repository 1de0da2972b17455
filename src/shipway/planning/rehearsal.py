"""The acts of a rehearsal, in order: who does what, and what comes of it. Who runs them decides where.

Pure: `acts` yields what is to be asked and is sent the answers, so that a checkout on this machine and releases on a
host are rehearsed alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from shipway.core.errors import Refused
from shipway.core.rehearsal import Rehearsed, Scratch
from shipway.django.rehearsal_answer import Made, applied, dropped, made, seeded, tried
from shipway.django.rehearsal_source import ActOptions
from shipway.django.strict import Node

PREFIX = "shipway_rehearsal_"
DROP_S = 90.0


@dataclass(frozen=True, slots=True)
class Act:
    """One process in one release: what it is asked, how its answer is read, and what a person is told meanwhile."""

    release: Literal["old", "new"]
    options: ActOptions
    read: Callable[[Node], Any]
    says: str


@dataclass(frozen=True, slots=True)
class Played:
    """What was made, and what was seen, by alias."""

    made: Made
    seen: Mapping[str, Rehearsed]


class Names(dict[str, str]):
    """The scratch databases that must be removed, by alias; filled while the acts go on."""


def acts(options: ActOptions, names: Names) -> Generator[Act, Any, Played]:
    """Yield the acts, each after the answer of the one before was sent. `names` gets what must be removed.

    Raises Refused `rehearse.rights` and `rehearse.no_scratch`.
    """
    built: Made = yield Act("new", options, made, "making a scratch database")
    # What was begun is removed, whether or not it was made whole.
    names.update({alias: one.name for alias, one in built.scratch.items() if one.name})
    _check(built)
    scratch = {alias: "" if one.error else one.name for alias, one in built.scratch.items()}
    options = replace(options, scratch=scratch)
    first = yield Act("old", replace(options, act="seed"), seeded, "the old release makes rows and uses them")
    options = replace(options, known=first.known)
    second = yield Act(
        "new",
        replace(options, act="apply"),
        applied,
        "the new release applies its migrations and uses what they leave",
    )
    third: Mapping[str, Rehearsed] = {}
    if not any(one.error for one in second.values()):
        third = yield Act("old", replace(options, act="try"), tried, "the old release uses the new schema")
    return Played(built, {alias: _joined(first.seen[alias], one, third.get(alias)) for alias, one in second.items()})


def drop_act(options: ActOptions, names: Names) -> Act:
    """Return the act that removes the scratch databases; also where the process that made them gave no answer."""
    told = replace(
        options, act="drop", scratch=names or {"default": options.name}, limit_s=DROP_S, section_s=DROP_S * 2 / 3
    )
    return Act("new", told, dropped, "removing the scratch database")


def _joined(first: Rehearsed, second: Rehearsed, third: Rehearsed | None) -> Rehearsed:
    """Return one record of the three acts. What the old release met before the migrations is not their doing."""
    third = third or Rehearsed()
    meets = {
        model: {name: what for name, what in fields.items() if name not in first.meets.get(model, {})}
        for model, fields in third.meets.items()
    }
    return replace(
        second,
        prepared=first.prepared,
        unseeded=first.unseeded,
        baseline=first.baseline,
        after=third.after,
        changed=third.changed,
        meets={model: fields for model, fields in meets.items() if fields},
    )


def _check(built: Made) -> None:
    """Raise where the main database has no scratch one, with what helps."""
    alias = "default" if "default" in built.scratch else next(iter(built.scratch), "")
    scratch, user = built.scratch.get(alias, Scratch("")), built.users.get(alias, "")
    text = scratch.error.lower()
    if not text:
        return
    if "permission denied to create database" in text or "access denied" in text:
        grant = f'ALTER ROLE "{user}" CREATEDB;  (as a superuser; or rehearse on a server where it may)'
        if "access denied" in text:
            grant = f"GRANT ALL ON `{PREFIX.replace('_', chr(92) + '_')}%`.* TO '{user}';  (as root)"
        raise Refused(
            "rehearse.rights",
            f"the database user `{user}` may not create databases, and a rehearsal needs one of its own",
            said=scratch.error,
            next=grant,
        )
    raise Refused("rehearse.no_scratch", "no scratch database could be made", said=scratch.error)
