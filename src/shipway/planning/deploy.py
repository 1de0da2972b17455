"""`plan_deploy`: a new release onto the hosts, migrated, started, switched to; the old one retired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shipway.core.facts import Facts
from shipway.core.step import Plan, Step, Verb
from shipway.planning.history import base_release
from shipway.planning.ready import check_ready
from shipway.planning.site import Site, Target
from shipway.planning.stages import clean_up, per_host, roll_out, stage
from shipway.planning.takeover import take_over_notes
from shipway.runtimes.base import Release


def plan_deploy(  # noqa: PLR0913  what, where, and how it is called
    site: Site, facts: Facts, run: str, release: Release, notes: Sequence[str] = (), *, verb: Verb = "deploy"
) -> Plan:
    """Return the plan that puts `release` into service on every host of `site`."""
    check_ready(facts)
    base = base_release(site, facts)
    name, version = release.release, release.version
    stages = (
        *stage("Prepare the hosts", per_host(site, lambda target: _host_steps(facts, target))),
        *stage(f"Put {name} on the hosts", per_host(site, lambda target: _prepare(site, target, release))),
        *stage("Migrate the database", (tuple(_migrate(site, name, version)),)),
        *roll_out(site, facts, name, version),
        *clean_up(site, facts, keep=(name, base) if base else (name,)),
    )
    return Plan(
        run=run,
        verb=verb,
        service=site.service,
        release=name,
        version=version,
        base=base,
        primary=site.primary,
        stages=stages,
        notes=(*notes, *take_over_notes(facts)),
    )


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
    return target.runtime.prepare_steps(release, units)


def _migrate(site: Site, release: str, version: str) -> Iterator[Step]:
    """Migrations run once, on one host, in the new release with its environment, while the old release serves.

    The step has no undo and counts as harmless: with `release.migrations: auto` the team says that the old code runs
    on the new schema. `manual` never migrates and only makes sure that somebody did.
    """
    unit = next(iter(sorted(site.units(release, version), key=lambda u: (u.host != site.primary, u.kind))), None)
    if unit is None:
        return
    runtime = site.target(unit.host).runtime
    check = runtime.one_off(unit, ("python", site.manage, "migrate", "--check"))
    migrate = runtime.one_off(unit, ("python", site.manage, "migrate", "--noinput"))
    if site.migrations == "manual":
        yield Step(
            id=f"{unit.host}/check-migrations",
            title="make sure that all migrations are applied",
            host=unit.host,
            do=(check,),
            repeatable=True,
            harmless=True,
        )
        return
    yield Step(
        id=f"{unit.host}/migrate",
        title=f"migrate the database with {release}",
        host=unit.host,
        do=(replace(migrate, limit_s=site.migrate_limit_s),),
        done=check,
        harmless=True,
    )
