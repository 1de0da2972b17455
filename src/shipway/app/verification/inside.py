"""The checks that a process in the release answers: databases, caches, mail, storage, on each host that has it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shipway.app.ask_release import send_to_release, told_of
from shipway.app.verification.run import Batch
from shipway.app.verification.subject import Subject
from shipway.config.verify_inside import CacheCheck, DatabaseCheck
from shipway.core.action import Command
from shipway.core.inside import Inside
from shipway.core.unit import Unit
from shipway.django.inside import parse_inside
from shipway.django.inside_source import InsideOptions, inside_source
from shipway.verification.outcome import Answer, Check
from shipway.verification.services import judge_service
from shipway.verification.table import SERVICES, On, all_on, keys_of

START_S = 30.0
"""What a container, Python and the import of a large project may take before the first question is asked."""


async def ask_inside(subject: Subject, unit: Unit, options: InsideOptions, track: str = "services") -> Inside:
    """Return what the release of `unit` answers when `options` are tried in it.

    Raises Refused `probe.…`, `project.…`, Unreachable, ConnectionLost.
    """
    context, token = subject.context, secrets.token_hex(16)
    options = replace(options, manage=context.site.manage)
    program = Command((), (inside_source(token, options),), limit_s=options.limit_s)
    result = await send_to_release(context.site, context.transport, unit, program, track=f"verify-{track}")
    with told_of(unit):
        return parse_inside(result.stdout, token, said=result.said if not result.ok else "")


def mark() -> str:
    """Return a word that nobody else has, by which what is written for a verification is known."""
    return secrets.token_hex(12)


def service_units(subject: Subject) -> tuple[Unit, ...]:
    """Return one unit for each host that serves: what visitors use. Where nothing is proxied, what works there."""
    units = tuple(subject.context.site.units(subject.release, subject.version))
    chosen = [unit for unit in units if unit.proxied] or [unit for unit in units if unit.kind != "scheduler"]
    return tuple({unit.host: unit for unit in reversed(chosen)}.values())


async def service_batches(subject: Subject) -> Sequence[Batch]:
    """Return the checks of what the release keeps things in: one process on each host answers all of them."""
    on = all_on(subject.wanted, SERVICES)
    return [_batch(subject, unit, on) for unit in service_units(subject)] if on else []


def _batch(subject: Subject, unit: Unit, on: tuple[On, ...]) -> Batch:
    limit_s = max(one.limit_s for one in on)
    options = InsideOptions(
        mark="",
        databases=keys_of(on, DatabaseCheck).aliases,
        write=keys_of(on, DatabaseCheck).write,
        caches=keys_of(on, CacheCheck).aliases,
        ask_s=limit_s,
    )
    longest_s = replace(options, want=tuple(one.kind for one in on)).limit_s + START_S
    checks = {one.at(unit.host, unit.role, longest_s): one.kind for one in on}

    async def ask(asked: Sequence[Check]) -> Mapping[Check, Answer]:
        want = tuple(checks[check] for check in asked)
        inside = await ask_inside(subject, unit, replace(options, mark=mark(), want=want))
        return {check: judge_service(checks[check], inside) for check in asked}

    return Batch(tuple(checks), ask)
