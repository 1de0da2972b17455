"""What the engines, keepers and kernels of the hosts know of the processes: restarts, memory, how many schedulers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from shipway.app.context import Context
from shipway.app.verification.run import Batch
from shipway.app.verification.subject import Subject
from shipway.config.verify_inside import RestartsCheck
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.facts import Facts
from shipway.core.ports import Request
from shipway.core.record import Record
from shipway.core.unit import Unit
from shipway.core.vital import HostVitals
from shipway.runtimes.vitals import parse_vitals
from shipway.verification.outcome import Answer, Check, failed
from shipway.verification.processes import SCHEDULERS, Running, SchedulerRole, judge_restarts, judge_scheduler
from shipway.verification.table import keys_of, switched_on

_LIMIT_S = 40.0
LOOKS = "verify-looks"
"""The shell of what is quickly asked: logs too.

A server has ten sessions for a connection (MaxSessions, sshd_config(5)), and the steps of a run need half of them; with
more the client would make a second connection.
"""


async def vitals_of(context: Context, host: str, units: Sequence[Unit], track: str = LOOKS) -> HostVitals | None:
    """Return how the processes of the service are on a host; None where it did not answer so that it can be read."""
    command = context.site.target(host).runtime.vitals(units, SCHEDULERS)
    try:
        (result,) = await context.transport.exchange(host, [Request(command, "never")], track=track)
    except (ConnectionLost, Unreachable):
        return None
    return parse_vitals(result)


async def vitals_everywhere(subject: Subject, track: str = LOOKS) -> dict[str, HostVitals | None]:
    """Return what each host says of the service's processes, all hosts at once."""
    site = subject.context.site
    hosts = [target.host for target in site.targets]
    asked = (vitals_of(subject.context, host, tuple(_units(subject, host)), track) for host in hosts)
    return dict(zip(hosts, await asyncio.gather(*asked), strict=True))


def _units(subject: Subject, host: str) -> Sequence[Unit]:
    """Return the units of the release on a host, and of the one before, which may still run there."""
    site = subject.context.site
    before = site.units(subject.base, "", host=host) if subject.base else ()
    return (*site.units(subject.release, subject.version, host=host), *before)


def begun_at(facts: Facts, unit: Unit, kind: str = "step.done") -> str:
    """Return when the last start of a unit was begun, or had been seen to work (`step.done`), by its host's clock."""
    records: tuple[Record, ...] = next((host.records for host in facts.hosts if host.host == unit.host), ())
    step = f"{unit.host}/start-{unit.role}-{unit.release}"
    return next((record.at for record in reversed(records) if (record.kind, record.step) == (kind, step)), "")


def moment(at: str) -> float:
    """Return a time of a ledger in seconds since 1970, 0 for one that is none."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 0.0


async def process_batches(subject: Subject) -> Sequence[Batch]:
    """Return the checks of restarts, one for each host, and of the scheduler, one for all."""
    return [*await _restart_batches(subject), *_scheduler_batch(subject)]


async def _restart_batches(subject: Subject) -> Sequence[Batch]:
    on = switched_on(subject.wanted, "restarts")
    if on is None:
        return []
    facts = await subject.context.observe()
    site = subject.context.site
    memory_mb = keys_of((on,), RestartsCheck).memory_mb

    def batch(host: str) -> Batch:
        check = on.at(host, "processes", on.limit_s + _LIMIT_S)
        units = tuple(site.units(subject.release, subject.version, host=host))

        async def ask(checks: Sequence[Check]) -> Mapping[Check, Answer]:
            vitals = await vitals_of(subject.context, host, units)
            if vitals is None:
                return dict.fromkeys(checks, failed(f"{host} did not say what runs there"))
            found = [
                Running(unit, vitals.of(unit.role, unit.release), moment(begun_at(facts, unit)), vitals.booted_at)
                for unit in units
            ]
            return dict.fromkeys(checks, judge_restarts(found, memory_mb))

        return Batch((check,), ask)

    return [batch(target.host) for target in site.targets if any(site.units(subject.release, "", host=target.host))]


def _scheduler_batch(subject: Subject) -> Sequence[Batch]:
    on = switched_on(subject.wanted, "scheduler")
    roles = [
        SchedulerRole(role.name, role.cmd, role.hosts)
        for role in subject.context.site.roles
        if role.kind == "scheduler" or _keeps_schedule(role.cmd)
    ]
    if on is None or not (roles or on.is_named):
        return []
    check = on.at("", "on all hosts", on.limit_s + _LIMIT_S)

    async def ask(checks: Sequence[Check]) -> Mapping[Check, Answer]:
        found = await vitals_everywhere(subject)
        return dict.fromkeys(checks, judge_scheduler(roles, found))

    return [Batch((check,), ask)]


def _keeps_schedule(cmd: str) -> bool:
    return any(re.search(pattern, cmd) for pattern in SCHEDULERS.values())
