"""A new release onto the hosts, asked about its migrations, migrated, started, switched to; the old one retired.

A deploy is planned in two parts, since what migrations mean can be known only in the release itself: `plan_prepare`
puts it whole on the hosts and changes nothing that serves; `plan_release` goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shipway.core.facts import Facts
from shipway.core.step import Plan, Stage, Step
from shipway.planning.backup import backup_steps
from shipway.planning.history import base_release
from shipway.planning.migrate import Decided, When, migrate_step
from shipway.planning.ready import check_ready
from shipway.planning.schedule import describe_steps, left_behind
from shipway.planning.site import Site, Target
from shipway.planning.stages import clean_up, per_host, roll_out, stage
from shipway.planning.takeover import take_over_notes
from shipway.planning.window import Closed, roll_out_closed
from shipway.runtimes.base import Release


def plan_prepare(site: Site, facts: Facts, run: str, release: Release, notes: Sequence[str] = ()) -> Plan:
    """Return the first part of the deploy of `release`: it stands whole on every host of `site`, and nothing runs."""
    check_ready(facts)
    name = release.release
    return Plan(
        run=run,
        verb="deploy",
        service=site.service,
        release=name,
        version=release.version,
        base=base_release(site, facts),
        primary=site.primary,
        stages=(
            *stage("Prepare the hosts", per_host(site, lambda target: _host_steps(facts, target))),
            *stage(f"Put {name} on the hosts", per_host(site, lambda target: _prepare(site, target, release))),
        ),
        notes=(*notes, *take_over_notes(facts), *left_behind(site, facts)),
        is_partial=True,
    )


def plan_release(first: Plan, site: Site, facts: Facts, decided: Decided) -> Plan:
    """Return the whole plan of which `first` (from `plan_prepare`) is the first part, with its migrations decided.

    `facts` are those of `first`: the release that was put on the hosts meanwhile is not among them.
    """
    name, version, base = first.release, first.version, first.base
    if decided.window:
        closed = Closed(tuple(backup_steps(site, first, decided)), tuple(_migrate(site, first, "window", decided)))
        middle = roll_out_closed(site, facts, first, closed)
    else:
        middle = (
            *stage("Back up the database", (tuple(backup_steps(site, first, decided)),)),
            *stage("Migrate the database", (tuple(_migrate(site, first, "before", decided)),)),
            *roll_out(site, facts, name, version, workers_first=decided.workers_first),
            *stage(f"Migrate, now that {base} is gone", (tuple(_migrate(site, first, "after", decided)),)),
        )
    stages: tuple[Stage, ...] = (
        *first.stages,
        *middle,
        *clean_up(site, facts, keep=(name, base) if base else (name,)),
    )
    return replace(first, stages=stages, notes=(*first.notes, *decided.notes), is_partial=False)


def plan_deploy(site: Site, facts: Facts, run: str, release: Release, notes: Sequence[str] = ()) -> Plan:
    """Return the whole deploy as far as it can be told at once: no migration is known to be pending."""
    return plan_release(plan_prepare(site, facts, run, release, notes), site, facts, Decided())


def _host_steps(facts: Facts, target: Target) -> Iterator[Step]:
    host = facts.of(target.host)
    if not host.is_runtime_settled:
        yield from target.runtime.host_steps()
    if target.proxy is None:
        return
    if host.predecessor:
        yield from target.proxy.prepare_steps()
    else:
        yield from target.proxy.upkeep_steps() if host.is_proxy_settled else target.proxy.host_steps()


def _prepare(site: Site, target: Target, release: Release) -> tuple[Step, ...]:
    units = tuple(site.units(release.release, release.version, host=target.host))
    described = describe_steps(site, target, release.release, release.version)
    return (*target.runtime.prepare_steps(release, units), *described)


def _migrate(site: Site, first: Plan, when: When, decided: Decided) -> Iterator[Step]:
    step = migrate_step(site, first, when, decided)
    if step is not None:
        yield step
