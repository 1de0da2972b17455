"""The rehearsal of a plan of migrations: old and new code, one after the other, in a scratch database."""

from __future__ import annotations

import secrets
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar, cast

from shipway.adapters.checkout import checked_out
from shipway.adapters.clock import SystemClock
from shipway.adapters.interpreter import find_manage, run_program
from shipway.app.migrations import Asked, MigrationsAnswer, answer_of, ask_project, bases_of_tree, commit_of
from shipway.core.errors import ConfigError, Refused, UsageError
from shipway.core.rehearsal import Rehearsed, Scratch
from shipway.django.rehearsal_answer import parse_act
from shipway.django.rehearsal_source import ActOptions, build_act
from shipway.django.report import Report
from shipway.django.strict import Node
from shipway.migrations.plan import Base
from shipway.migrations.rehearsal import Opinion, opine
from shipway.planning.rehearsal import PREFIX, Act, Names, Played, acts, drop_act

T = TypeVar("T")
Say = Callable[[str], None]


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
        options = ActOptions(
            "make", name=scratch_name(SystemClock().now()), directory=place, rows=wanted.rows, fresh=answer.fresh
        )
        played, kept = play(old, Program(asked.directory, python), options, say)
    return replace(
        answer,
        seen=played.seen,
        opinions={alias: opine(one) for alias, one in played.seen.items()},
        scratch=played.made.scratch,
        left=played.made.leftovers,
        kept=kept,
    )


def scratch_name(now: datetime) -> str:
    """Return the name that scratch databases of a rehearsal begin with: whoever finds one knows when it was made."""
    return f"{PREFIX}{now:%Y%m%dt%H%M%S}_{secrets.token_hex(4)}"


def _is_ahead(report: Report, bases: Mapping[str, Base]) -> bool:
    """Whether a database has migrations of the new code already, so that its schema is not the old release's."""
    for alias, one in report.databases.items():
        base = bases.get(alias)
        known = {m.key for m in one.database.walk}
        if base is not None and ((one.database.applied or frozenset()) & known) - base.keys:
            return True
    return False


def play(old: Program, new: Program, options: ActOptions, say: Say) -> tuple[Played, dict[str, str]]:
    """Return what was seen, and why a scratch database is still there. They are removed whatever happens."""
    names = Names()
    whom = {"old": old, "new": new}
    with _ended_gently():
        try:
            played = _run(acts(options, names), whom, say)
        finally:
            kept = _drop(new, drop_act(options, names))
    return played, kept


def _run(course: Generator[Act, Any, Played], whom: Mapping[str, Program], say: Say) -> Played:
    answer: Any = None
    while True:
        try:
            act = course.send(answer)
        except StopIteration as end:
            return cast("Played", end.value)
        say(act.says)
        answer = whom[act.release].act(act.options, act.read)


def _drop(new: Program, act: Act) -> dict[str, str]:
    with _undisturbed():
        try:
            return dict(new.act(act.options, act.read))
        except (Refused, ConfigError) as error:
            return dict.fromkeys(act.options.scratch, f"{error.what}: {error.said}" if error.said else error.what)


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
