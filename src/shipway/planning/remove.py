"""`plan_remove`: a service off its hosts, with its accessories and their data; nothing of any other service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shipway.core.action import Command
from shipway.core.facts import Facts, HostFacts
from shipway.core.step import Plan, Step
from shipway.planning.accessories import POINT_OF_NO_RETURN, AccessoryTarget, remove_stages
from shipway.planning.history import base_release
from shipway.planning.site import Site, Target
from shipway.planning.stages import per_host, stage

LOGOUT_SCRIPT = (  # no client, no session
    '! command -v docker >/dev/null || docker logout "$@" >/dev/null 2>&1 || :'
)


def plan_remove(
    site: Site, facts: Facts, run: str, accessories: Sequence[AccessoryTarget], registry: str | None
) -> Plan:
    """Return the plan that removes the service: its proxy site, its releases, its accessories and their data.

    `registry` is the server whose session ends on the hosts ("" is Docker Hub, None: there is none). The ledger stays,
    and so do uploads and shared files.
    """
    kept = ", ".join(dict.fromkeys(target.layout.home for target in site.targets))
    return Plan(
        run=run,
        verb="remove",
        service=site.service,
        release="",
        version="",
        base=base_release(site, facts),
        primary=site.primary,
        stages=(
            POINT_OF_NO_RETURN,
            *stage("Take the site out of the proxy", per_host(site, _forget)),
            *stage("Stop the releases", per_host(site, lambda target: _stop(site, facts.of(target.host), target))),
            *stage("Remove the releases", per_host(site, lambda target: _remove(site, facts.of(target.host), target))),
            *remove_stages(accessories),
            *stage("Log out", per_host(site, lambda target: _log_out(target, registry))),
        ),
        notes=(
            *(f"{target.spec.data} on {target.spec.host} is deleted with all data in it" for target in accessories),
            f"the ledger, uploads and shared files stay in {kept}",
        ),
    )


def _forget(target: Target) -> tuple[Step, ...]:
    return target.proxy.remove_steps() if target.proxy is not None else ()


def _stop(site: Site, host: HostFacts, target: Target) -> Iterator[Step]:
    for role, release in sorted(host.running):
        yield from target.runtime.stop_steps(site.unit(role, host.host, release))


def _remove(site: Site, host: HostFacts, target: Target) -> Iterator[Step]:
    running = {release for _, release in host.running}
    for release in sorted({*host.releases, *host.leftovers, *running}):
        roles = {role.name for role in site.roles} | {role for role, name in host.running if name == release}
        yield from target.runtime.remove_steps(release, sorted(roles))


def _log_out(target: Target, registry: str | None) -> Iterator[Step]:
    if registry is not None:
        server = (registry,) if registry else ()
        yield Step(
            id=f"{target.host}/log-out",
            title=f"end a session at {registry or 'Docker Hub'}, should there be one",
            host=target.host,
            do=(Command(("sh", "-c", LOGOUT_SCRIPT, "sh", *server)),),
            repeatable=True,
        )
