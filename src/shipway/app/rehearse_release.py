"""The rehearsal of a release on its host, before its migrations run: both releases in their own environments."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from shipway.app.ask_release import ALIAS, Recorded
from shipway.app.context import Context
from shipway.app.rehearse import scratch_name
from shipway.app.task_gate import Talk
from shipway.core.errors import ConfigError, Interrupted, Refused, ShipwayError
from shipway.core.ports import Request
from shipway.core.unit import Unit
from shipway.django.rehearsal_answer import parse_act
from shipway.django.rehearsal_source import ActOptions, build_act
from shipway.migrations.rehearsal import opine
from shipway.planning.migrate import Decided, migration_unit
from shipway.planning.rehearsal import Act, Names, Played, acts, drop_act
from shipway.planning.rehearsal_gate import weigh

TRACK = "rehearsal"
"""A shell of its own, beside the steps of a run."""
_MARGIN_S = 15.0


@dataclass(frozen=True, slots=True)
class ReleaseRehearsal:
    """The rehearsal of what `unit`'s release would migrate, where the configuration asks for it."""

    context: Context
    unit: Unit
    command: str
    talk: Talk = field(default_factory=Talk)

    async def settle(self, decided: Decided, base: Recorded) -> tuple[str, ...]:
        """Return notes on what was seen; none where nothing is pending, or nothing serves.

        Raises Refused `rehearse.…`, Interrupted, and what a host does that cannot be reached.
        """
        site = self.context.site
        if not site.rehearse or not (decided.before or decided.after or decided.window) or not base.release:
            return ()
        if base.manifest is None:
            return (f"not rehearsed: {base.unknown}",)
        old = migration_unit(site, base.release, base.manifest.origin.version)
        if old is None:
            return ()
        options = ActOptions("make", manage=site.manage, name=scratch_name(self.context.clock.now()), packed=True)
        played, kept = await self._play({"old": old, "new": self.unit}, options)
        if ALIAS not in played.seen:
            return (f"not rehearsed: the project has no database `{ALIAS}`", *kept)
        left = tuple(
            f"the scratch database {name} of a rehearsal is still there" for _, name, _ in played.made.leftovers
        )
        names = (base.release, self.unit.release)
        return (*weigh(opine(played.seen[ALIAS]), decided, names, self.command), *kept, *left)

    async def _play(self, units: dict[str, Unit], options: ActOptions) -> tuple[Played, tuple[str, ...]]:
        names = Names()
        try:
            played = await self._run(acts(options, names), units)
        except BaseException:
            # Also where we are cancelled: what was made must not stay.
            with suppress(ShipwayError):
                await asyncio.shield(self._drop(options, names))
            raise
        return played, await self._drop(options, names)

    async def _run(self, course: Generator[Act, Any, Played], units: dict[str, Unit]) -> Played:
        answer: Any = None
        while True:
            try:
                act = course.send(answer)
            except StopIteration as end:
                played: Played = end.value
                return played
            if self.talk.stop.is_set:
                raise Interrupted("run.interrupted", "stopped on request during the rehearsal of the migrations")
            self.talk.say(f"Rehearsal: {act.says}")
            answer = await self._ask(act, units[act.release])

    async def _ask(self, act: Act, unit: Unit) -> Any:
        token = secrets.token_hex(16)
        command = self.context.site.target(unit.host).runtime.one_off(unit, ("python", "-"))
        command = replace(command, stdin=(build_act(token, act.options),), limit_s=act.options.limit_s + _MARGIN_S)
        (result,) = await self.context.transport.exchange(unit.host, [Request(command, "never")], track=TRACK)
        try:
            return parse_act(result.stdout, token, act.options.act, act.read, result.said if not result.ok else "")
        except ConfigError as error:  # it was the release that was asked, and no Python of this machine
            raise Refused(error.code, error.what, where=f"{unit.role} on {unit.host}", said=error.said) from error

    async def _drop(self, options: ActOptions, names: Names) -> tuple[str, ...]:
        act = drop_act(options, names)
        try:
            failed = await self._ask(act, self.unit)
        except Refused as error:
            return (f"warning: the scratch database {options.name} may still be there: {error.what}",)
        return tuple(f"warning: the scratch database of {alias} is still there: {why}" for alias, why in failed.items())
