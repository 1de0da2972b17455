"""Where each job of `schedule` runs: its role's environment, and its hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shipway.config.kinds import suggestion
from shipway.config.model import Role
from shipway.config.report import Report
from shipway.config.schedule import EVERY_HOST, JobSection, command_words
from shipway.core.job import Job


def resolve_schedule(
    sections: Mapping[str, JobSection], roles: Sequence[Role], primary: str, report: Report
) -> tuple[Job, ...]:
    """Return the jobs by name; those that are wrong are reported and left out."""
    return tuple(_jobs(sections, {role.name: role for role in roles}, primary, report))


def _jobs(sections: Mapping[str, JobSection], roles: Mapping[str, Role], primary: str, report: Report) -> Iterator[Job]:
    for name, section in sorted(sections.items()):
        role = roles.get(section.role or primary)
        if role is None:
            if section.role is not None:  # a primary role that is missing is told elsewhere
                what = f"there is no role `{section.role}`"
                report.add("value", ("schedule", name, "role"), what, next=suggestion(section.role, roles))
            continue
        hosts = _hosts(name, section, role, report)
        if section.cron is None or section.command is None or not hosts:
            continue
        yield Job(
            name=name,
            cron=section.cron,
            command=command_words(section.command),
            timezone=section.timezone,
            role=role.name,
            hosts=hosts,
            limit_s=section.timeout,
        )


def _hosts(name: str, section: JobSection, role: Role, report: Report) -> tuple[str, ...]:
    if section.host is None:
        return role.hosts[:1]
    if section.host == EVERY_HOST:
        return role.hosts
    if section.host in role.hosts:
        return (section.host,)
    what = f"the role `{role.name}` has no host `{section.host}`"
    report.add("value", ("schedule", name, "host"), what, next=suggestion(section.host, (*role.hosts, EVERY_HOST)))
    return ()
