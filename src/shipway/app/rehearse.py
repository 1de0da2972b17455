"""The rehearsal of a plan of migrations: old and new code, one after the other, in a scratch database."""

from __future__ import annotations

import secrets
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import TypeVar

from shipway.adapters.checkout import checked_out
from shipway.adapters.clock import SystemClock
from shipway.adapters.interpreter import find_manage, run_program
from shipway.app.migrations import Asked, MigrationsAnswer, answer_of, ask_project, bases_of_tree, commit_of
from shipway.core.errors import ConfigError, Refused, UsageError
from shipway.core.rehearsal import Rehearsed, Scratch
from shipway.django.rehearsal_answer import Made, applied, dropped, made, parse_act, seeded, tried
from shipway.django.rehearsal_source import ActOptions, build_act
from shipway.django.report import Report
from shipway.django.strict import Node
from shipway.migrations.plan import Base
from shipway.migrations.rehearsal import Opinion, opine

T = TypeVar("T")
Say = Callable[[str], None]
PREFIX = "shipway_rehearsal_"


@dataclass(frozen=True, slots=True)
class Program:
    """A release on this machine: its files, and the Python that runs it."""

    directory: Path
    python: str

    def act(self, options: ActOptions, make: Callable[[Node], T]) -> T:
        """Return what an act of a rehearsal answers. Raises as `parse_act`, and ConfigError `project.python`."""
        token = secrets.token_hex(16)
        told = replace(options, manage=find_manage(self.directory))
        try:
            answered = run_program(
                self.python,
                build_act(token, told),
                self.directory,
                limit_s=told.limit_s + 10,
                limit_bytes=told.limit_bytes + 1_000_000,
            )
        except OSError as error:
            raise ConfigError(
                "project.python", "the project's Python could not be run", where=self.python, next=f"{self.python} -V"
            ) from error
        return parse_act(answered.output, token, told.act, make, answered.said)


@dataclass(frozen=True, slots=True)
class RehearsalAnswer:
    """What the rehearsal saw, by alias, beside the first opinion; how the scratch databases were made.

    `left` are scratch databases of earlier rehearsals: (alias, name, when). `kept` says why one of this rehearsal is
    still there. `fresh`: the schema was made by the old release's own migrations.
    """

    first: MigrationsAnswer
    opinions: Mapping[str, Opinion] = field(default_factory=dict)
    seen: Mapping[str, Rehearsed] = field(default_factory=dict)
    scratch: Mapping[str, Scratch] = field(default_factory=dict)
    left: tuple[tuple[str, ...], ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked beside the project and its base: rows of each table, an empty start, the old release's Python."""

    rows: int = 0
    fresh: bool = False
    base_python: str = ""


def rehearse_project(asked: Asked, wanted: Wanted, version_of: Callable[[str], str], say: Say) -> RehearsalAnswer:
    """Rehearse what is pending in the project of `asked` against the code of its base.

    Raises UsageError `rehearse.no_base`, Refused `rehearse.…`, and what `judge_project` raises. The scratch databases
    are removed in any case, also when a signal ends us.
    """
    if not asked.base:
        raise UsageError(
            "rehearse.no_base",
            "a rehearsal plays old code against the new schema, and nobody said which code is the old",
            next="shipway migrations rehearse --base origin/main",
        )
    commit = commit_of(asked, version_of)
    python, report = ask_project(asked)
    with (
        checked_out(asked.directory, commit) as tree,
        tempfile.TemporaryDirectory(prefix="shipway-rehearsal-") as place,
    ):
        old = Program(tree, wanted.base_python or python)
        bases = bases_of_tree(asked.base, old.python, tree)
        answer = RehearsalAnswer(answer_of(report, asked.base, bases), fresh=wanted.fresh or _is_ahead(report, bases))
        if not answer.first.verdicts:
            return answer
        name = f"{PREFIX}{SystemClock().now():%Y%m%dt%H%M%S}_{secrets.token_hex(4)}"
        options = ActOptions("make", name=name, directory=place, rows=wanted.rows, fresh=answer.fresh)
        return _Rehearsal(old, Program(asked.directory, python), say).play(answer, options)


def _is_ahead(report: Report, bases: Mapping[str, Base]) -> bool:
    """Whether a database has migrations of the new code already, so that its schema is not the old release's."""
    for alias, one in report.databases.items():
        base = bases.get(alias)
        known = {m.key for m in one.database.walk}
        if base is not None and ((one.database.applied or frozenset()) & known) - base.keys:
            return True
    return False


class _Rehearsal:
    """The acts, in order."""

    def __init__(self, old: Program, new: Program, say: Say) -> None:
        self._old, self._new, self._say = old, new, say

    def play(self, answer: RehearsalAnswer, options: ActOptions) -> RehearsalAnswer:
        """Return the answer with what was seen."""
        with _ended_gently():
            scratch: dict[str, str] = {}
            kept: dict[str, str] = {}
            try:
                self._say("making a scratch database")
                built = self._make(options, scratch)
                answer = replace(answer, scratch=built.scratch, left=built.leftovers)
                seen = self._acts(replace(options, scratch=scratch))
            finally:
                kept = self._drop(options, scratch)
        opinions = {alias: opine(one) for alias, one in seen.items()}
        return replace(answer, seen=seen, opinions=opinions, kept=kept)

    def _make(self, options: ActOptions, scratch: dict[str, str]) -> Made:
        built = self._new.act(options, made)
        # What was begun is removed, whether or not it was made whole.
        scratch.update({alias: one.name for alias, one in built.scratch.items() if one.name})
        main = built.scratch.get("default") or next(iter(built.scratch.values()), Scratch(""))
        if main.error:
            raise _refused(main, next(iter(built.users.values()), "") or built.users.get("default", ""))
        for alias, one in built.scratch.items():
            if one.error:
                scratch[alias] = ""
        return built

    def _acts(self, options: ActOptions) -> dict[str, Rehearsed]:
        self._say("the old release makes rows and uses them")
        first = self._old.act(replace(options, act="seed"), seeded)
        options = replace(options, known=first.known)
        self._say("the new release applies its migrations and uses what they leave")
        second = self._new.act(replace(options, act="apply"), applied)
        third: dict[str, Rehearsed] = {}
        if not any(one.error for one in second.values()):
            self._say("the old release uses the new schema")
            third = self._old.act(replace(options, act="try"), tried)
        return {alias: _joined(first.seen[alias], second[alias], third.get(alias)) for alias in second}

    def _drop(self, options: ActOptions, scratch: dict[str, str]) -> dict[str, str]:
        """Remove the scratch databases; also where the process that made them ended without an answer."""
        names = scratch or {"default": options.name}
        with _undisturbed():
            try:
                return self._new.act(replace(options, act="drop", scratch=names, limit_s=90.0, section_s=60.0), dropped)
            except (Refused, ConfigError) as error:
                return dict.fromkeys(names, f"{error.what}: {error.said}" if error.said else error.what)


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


def _refused(scratch: Scratch, user: str) -> Refused:
    """Return why there is no scratch database, and what helps."""
    text = scratch.error.lower()
    if "permission denied to create database" in text:
        return Refused(
            "rehearse.rights",
            f"the database user `{user}` may not create databases, and a rehearsal needs one of its own",
            said=scratch.error,
            next=f'ALTER ROLE "{user}" CREATEDB;  (as a superuser; or rehearse on a server where it may)',
        )
    if "access denied" in text:
        return Refused(
            "rehearse.rights",
            f"the database user `{user}` may not create databases, and a rehearsal needs one of its own",
            said=scratch.error,
            next=f"GRANT ALL ON `shipway\\_rehearsal\\_%`.* TO '{user}';  (as root)",
        )
    return Refused("rehearse.no_scratch", "no scratch database could be made", said=scratch.error)


@contextmanager
def _ended_gently() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the body as Ctrl-C does, so that what was made is removed."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with _handling({signal.SIGTERM: stop, signal.SIGHUP: stop}):
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no signal end the body: it is short, and it removes what would stay."""
    with _handling(dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), signal.SIG_IGN)):
        yield


@contextmanager
def _handling(
    handlers: Mapping[signal.Signals, signal.Handlers | Callable[[int, FrameType | None], None]],
) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
