"""Bare servers made ready: the first part of `setup`, and `server bootstrap`; and that taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import Context, open_context
from shipway.app.proxy_site import is_nginx
from shipway.app.service import Service
from shipway.app.signals import Interruption
from shipway.config.model import Config
from shipway.core.errors import Refused
from shipway.core.layout import Layout
from shipway.core.ports import Request, Transport
from shipway.engine.observe import all_or_unreachable
from shipway.planning.setup import check_bootstrap, check_unbootstrap, plan_bootstrap, plan_unbootstrap
from shipway.runtimes import bootstrap as servers
from shipway.runtimes import unbootstrap as taking_back
from shipway.runtimes.bootstrap import HostState, Needs
from shipway.runtimes.unbootstrap import Changed


def needs_of(config: Config) -> dict[str, Needs]:
    """Return what each host is for."""
    with_accessory = {host for accessory in config.accessories for host in accessory.hosts}
    is_docker = config.runtime == "docker"
    return {
        host: Needs(
            docker=host in with_accessory or (is_docker and host in config.app_hosts),
            venv=not is_docker and host in config.app_hosts,
            nginx=host in config.proxy_hosts and is_nginx(config, host),
        )
        for host in config.hosts
    }


async def bootstrap(
    choice: Choice, caller: Caller, interruption: Interruption, service: Service | None = None
) -> Report:
    """Install what the hosts lack, and report. What is there is left alone.

    Raises Refused with every host that cannot be made ready from here, before any is changed.
    """
    async with open_context(choice, caller, everywhere=True, service=service) as context:
        needs = needs_of(context.service.config)
        states = await look(context)
        check_bootstrap(list(states.values()), needs)
        await _own_state(context, states)
        run = Run.new(context, caller, interruption)
        report = await change(
            run, lambda facts: plan_bootstrap(context.site, facts, run.id, list(states.values()), needs)
        )
        if any(need.docker for need in needs.values()):
            await context.hooks.run("docker-setup")
        return report


async def unbootstrap(choice: Choice, caller: Caller, interruption: Interruption) -> Report:
    """Take back what bootstrap changed on the hosts, and report.

    Raises Refused, before any host is changed, where a service still needs it or the login may not.
    """
    async with open_context(choice, caller, everywhere=True) as context:
        roots = {host: layout.root for host, layout in context.layouts.items()}
        found = list((await all_or_unreachable({host: _ask_back(context, host) for host in roots})).values())
        check_unbootstrap(found)
        run = Run.new(context, caller, interruption)
        if not any(one.is_known for one in found):  # not even the lock is taken: the state directory may be gone
            told = (note for one in found for note in taking_back.notes(one, roots[one.host]))
            return Report("unbootstrap", run.id, "nothing", "", "", "", notes=tuple(told))
        report = await change(run, lambda facts: plan_unbootstrap(context.site, facts, run.id, found, roots))
        return replace(report, next=f"`shipway server bootstrap{choice.options}` installs it again")


async def _ask_back(context: Context, host: str) -> Changed:
    root = context.layouts[host].root
    question = taking_back.probe(root, record_of(root))
    (result,) = await context.transport.exchange(host, [Request(question, "never")])
    return taking_back.parse(host, record_of(root), result, is_root=context.basics[host].is_root)


async def look(context: Context) -> dict[str, HostState]:
    """Return how each host was found, one exchange per host, all at once. Raises Unreachable."""
    asked = {host: _ask(context.transport, host, layout.root) for host, layout in context.layouts.items()}
    return await all_or_unreachable(asked)


async def _ask(transport: Transport, host: str, root: str) -> HostState:
    (result,) = await transport.exchange(host, [Request(servers.probe(root), "never")])
    return replace(servers.parse(host, result), record=record_of(root))


def record_of(root: str) -> str:
    """Return where it is noted on a host what was changed there; `root` is the state directory."""
    return Layout(root, "").bootstrap


async def _own_state(context: Context, states: Mapping[str, HostState]) -> None:
    """Make the state directory of hosts where the login may not: the lock and the ledger stand in it already."""
    for host, state in states.items():
        if state.owns_state:
            continue
        root = context.layouts[host].root
        (result,) = await context.transport.exchange(host, [Request(servers.own_state_directory(state, root), "never")])
        if not result.ok:
            raise Refused(
                "setup.state_directory",
                f"could not make the state directory {root} on {host} and give it to {state.user}",
                where=host,
                said=result.said,
                next="set `state_directory: ~/.shipway` in the configuration",
            )


async def check_ready(context: Context) -> None:
    """Raise Refused where Docker does not answer this login although everything was installed."""
    needs = needs_of(context.service.config)
    for host, state in (await look(context)).items():
        if needs[host].docker and not state.engine:
            raise Refused(
                "setup.docker_unreachable",
                f"Docker on {host} does not answer {state.user or 'this login'}",
                where=host,
                said=state.said,
                next=f"`shipway server exec --hosts {host}{context.choice.options} docker version`",
            )
