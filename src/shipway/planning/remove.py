"""`plan_remove`: a service off its hosts, with its accessories and their data; nothing of any other service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipway.core.facts import Facts, HostFacts
from shipway.core.step import Plan, Step
from shipway.planning.accessories import POINT_OF_NO_RETURN, AccessoryTarget, remove_stages
from shipway.planning.history import base_release
from shipway.planning.schedule import clear_steps
from shipway.planning.site import Site, Target
from shipway.planning.stages import per_host, stage
from shipway.runtimes.docker.accessory_remove import IMAGE_SCRIPT
from shipway.runtimes.docker.accessory_steps import script

LOGOUT_SCRIPT = (  # no client, no session
    '! command -v docker >/dev/null || docker logout "$@" >/dev/null 2>&1 || :'
)


@dataclass(frozen=True, slots=True)
class Leaving:
    """What goes besides releases.

    Accessories, the image that is named `latest` ("" for none), and the session at a registry ("" is Docker Hub, None:
    there is none). `used_by`: other destinations that use the accessories, which stay therefore.
    """

    accessories: tuple[AccessoryTarget, ...] = ()
    used_by: tuple[str, ...] = ()
    latest: str = ""
    registry: str | None = None


def plan_remove(site: Site, facts: Facts, run: str, leaving: Leaving) -> Plan:
    """Return the plan that removes the service: its proxy site, its releases, its accessories and their data.

    The ledger stays, and so do uploads and shared files.
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
            *stage("Remove the schedule", per_host(site, lambda target: clear_steps(site, facts, target))),
            *stage("Stop the releases", per_host(site, lambda target: _stop(site, facts.of(target.host), target))),
            *stage("Remove the releases", per_host(site, lambda target: _remove(site, facts.of(target.host), target))),
            *remove_stages(leaving.accessories),
            *stage("Log out", per_host(site, lambda target: _log_out(target, leaving))),
        ),
        notes=(
            *(
                f"{target.spec.data} on {target.spec.host} is deleted with all data in it"
                for target in leaving.accessories
            ),
            *(_shared(leaving.used_by) if leaving.used_by else ()),
            f"the ledger, uploads and shared files stay in {kept}",
        ),
    )


def _shared(used_by: tuple[str, ...]) -> tuple[str, ...]:
    who = ", ".join(used_by)
    return (f"accessories stay with their data: {who} may use them; `shipway accessory remove NAME` removes one",)


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


def _log_out(target: Target, leaving: Leaving) -> Iterator[Step]:
    if leaving.latest:
        yield Step(
            id=f"{target.host}/remove-latest",
            title=f"remove the image {leaving.latest}",
            host=target.host,
            do=(script(IMAGE_SCRIPT, leaving.latest),),
            repeatable=True,
        )
    if leaving.registry is not None:
        server = (leaving.registry,) if leaving.registry else ()
        yield Step(
            id=f"{target.host}/log-out",
            title=f"end a session at {leaving.registry or 'Docker Hub'}, should there be one",
            host=target.host,
            do=(script(LOGOUT_SCRIPT, *server),),
            repeatable=True,
        )
