"""The schedule of a service: what is in force where, how it went last, and a job run now."""

from __future__ import annotations

import asyncio
import zoneinfo
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from shipway.app.answers import Ran
from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.cron import next_after, parse_cron
from shipway.core.errors import Refused, ShipwayError, UsageError
from shipway.core.job import Job
from shipway.core.ports import Output, Request
from shipway.planning.schedule import scheduling
from shipway.runtimes.schedule_report import KeptJob, KeptSchedule, Went, parse_report

_BUSY, _UNKNOWN = 75, 78  # of schedule_run_script.py
Found = Mapping[str, KeptSchedule | ShipwayError]


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job on one host. `trouble` says what is not as it should be, "" for nothing; `next` is in UTC, "" for never.

    `now` is the run that goes on, `last` the last one that ended. `way` is what keeps it.
    """

    name: str
    host: str
    cron: str
    timezone: str
    role: str
    release: str = ""
    way: str = ""
    next: str = ""
    now: Went | None = None
    last: Went | None = None
    skipped: str = ""
    trouble: str = ""


async def schedule_rows(choice: Choice, caller: Caller) -> tuple[JobRow, ...]:
    """Return every job that should run, and every one that does, host by host. A host that is silent is told."""
    async with open_context(choice, caller) as context:
        hosts = context.chosen_hosts()
        found = dict(zip(hosts, await asyncio.gather(*(_ask(context, host) for host in hosts)), strict=True))
        return tuple(_rows(context, found))


async def _ask(context: Context, host: str) -> KeptSchedule | ShipwayError:
    command = scheduling(context.site, context.site.target(host)).report()
    try:
        (result,) = await context.transport.exchange(host, [Request(command, "never")])
    except ShipwayError as error:
        return error
    return parse_report(result.stdout) if result.ok else Refused("schedule.unreadable", result.said or "no answer")


def _rows(context: Context, found: Found) -> Iterator[JobRow]:
    now = context.clock.now()
    for job in context.site.schedule:
        for host in job.hosts:
            if host in found:
                yield _wanted(job, host, found[host], now)
    known = {(job.name, host) for job in context.site.schedule for host in job.hosts}
    for host, kept in found.items():
        if isinstance(kept, ShipwayError):
            continue
        for one in kept.jobs.values():
            if (one.name, host) not in known:
                yield _row(one, host, kept, now, "not in the configuration: the next deploy removes it")


def _wanted(job: Job, host: str, kept: KeptSchedule | ShipwayError, now: datetime) -> JobRow:
    if isinstance(kept, ShipwayError):
        return JobRow(job.name, host, job.cron, job.timezone, job.role, trouble=f"not known: {kept.what}")
    one = kept.jobs.get(job.name)
    if one is None:
        why = "not in force: the next deploy brings it"
        return JobRow(job.name, host, job.cron, job.timezone, job.role, kept.release, trouble=why)
    trouble = ""
    if not one.is_set:
        trouble = "its timer is gone from the host: `shipway redeploy` brings it back"
    elif (one.cron, one.timezone) != (parse_cron(job.cron).text, job.timezone):
        trouble = f"the next deploy changes it to {job.cron} {job.timezone}"
    return _row(one, host, kept, now, trouble)


def _row(one: KeptJob, host: str, kept: KeptSchedule, now: datetime, trouble: str) -> JobRow:
    return JobRow(
        name=one.name,
        host=host,
        cron=one.cron,
        timezone=one.timezone,
        role=one.role,
        release=kept.release,
        way=kept.way,
        next=_next(one, now) if one.is_set else "",
        now=one.now,
        last=one.last,
        skipped=one.skipped,
        trouble=trouble,
    )


def _next(one: KeptJob, now: datetime) -> str:
    """Return when a job is due, "" where this machine cannot tell: a host decides it anyway."""
    try:
        zone = UTC if one.timezone == "UTC" else zoneinfo.ZoneInfo(one.timezone)
        due = next_after(parse_cron(one.cron), now.astimezone(zone))
    except (ValueError, zoneinfo.ZoneInfoNotFoundError, OSError):
        return ""
    return f"{due:%Y-%m-%dT%H:%M:%SZ}" if due else ""


async def run_job(choice: Choice, caller: Caller, name: str, output: Output | None) -> tuple[Ran, ...]:
    """Run a job now, in the release that serves, on each of its hosts, and return what it answered.

    `output` gets pieces as they come. Raises UsageError for a name that is not in the configuration, Refused where it
    is not in force, and where it runs already.
    """
    async with open_context(choice, caller) as context:
        job = _job(context, name)
        answers = []
        for host in _hosts(context, job):
            keep = scheduling(context.site, context.site.target(host))
            command = keep.run(name, context.author.who, job.limit_s)
            (result,) = await context.transport.exchange(host, [Request(command, "never")], output=output)
            _refuse(context, job, host, result.status, result.said)
            stderr = result.stderr.decode("utf-8", "replace")
            answers.append(Ran(host, job.role, "", result.status, result.text, stderr, is_cut=result.truncated))
        return tuple(answers)


def _refuse(context: Context, job: Job, host: str, status: int, said: str) -> None:
    """Raise what the exit statuses of the runner's own mean. A command of the project may end with them as well."""
    options = context.choice.options
    if status == _BUSY and "not begun again" in said:
        raise Refused(
            "schedule.busy",
            f"`{job.name}` runs already on {host}",
            said=said,
            next=f"`shipway schedule logs {job.name} -f{options}` follows it",
        )
    if (status == _UNKNOWN and "is not in the schedule" in said) or (status and "schedule/run.py'" in said):
        raise Refused(
            "schedule.not_in_force",
            f"`{job.name}` is not in force on {host}: it comes with a release",
            said=said,
            next=f"`shipway deploy{options}`, or `shipway manage {' '.join(job.command)}{options}` for once",
        )


def _job(context: Context, name: str) -> Job:
    found = next((job for job in context.site.schedule if job.name == name), None)
    if found is not None:
        return found
    names = ", ".join(job.name for job in context.site.schedule)
    raise UsageError(
        "schedule.unknown",
        f"there is no job `{name}` in the configuration",
        next=f"there are: {names}" if names else "`shipway docs schedule` tells how to write one",
    )


def _hosts(context: Context, job: Job) -> Sequence[str]:
    hosts = [host for host in job.hosts if host in context.chosen_hosts()]
    if hosts:
        return hosts
    raise UsageError("schedule.no_host", f"`{job.name}` runs on {', '.join(job.hosts)}, and none of these was chosen")


async def job_log(  # noqa: PLR0913  each is a different thing
    choice: Choice, caller: Caller, name: str, write: Callable[[str, str], None], *, lines: int, follows: bool
) -> None:
    """Give the end of the log of a job on each of its hosts to `write`: host and piece of text.

    Raises UsageError for a name that is not in the configuration, Refused where there is no log.
    """
    async with open_context(choice, caller) as context:
        job = _job(context, name)
        for host in _hosts(context, job):
            command = scheduling(context.site, context.site.target(host)).log(name, lines, follows=follows)
            if follows:
                async with aclosing(context.transport.stream(host, command)) as pieces:
                    async for piece in pieces:
                        write(host, piece.decode("utf-8", "replace"))
                continue
            (result,) = await context.transport.exchange(host, [Request(command, "never")])
            if not result.ok:
                what = f"there is no log of `{name}` on {host}"
                next_line = f"`shipway schedule run {name}{context.choice.options}` runs it now"
                raise Refused("schedule.no_log", what, said=result.said, next=next_line)
            write(host, result.text)
