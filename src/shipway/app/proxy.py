"""The proxy of hosts: started, stopped, made anew, looked at."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.app.answers import Report
from shipway.app.call import Caller, Choice
from shipway.app.change import Run, change
from shipway.app.context import open_context
from shipway.app.signals import Interruption
from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.step import Plan
from shipway.planning.history import serving_on
from shipway.planning.proxy import ProxyAction, plan_proxy


@dataclass(frozen=True, slots=True)
class ProxyRow:
    """The proxy of one host: whether it runs and shows the maintenance page, and what it sends a role's traffic to.

    `role` is "" for a proxy that sends nothing anywhere. `other`: the proxy of another tool, which has the ports.
    """

    host: str
    is_up: bool
    is_in_maintenance: bool
    role: str = ""
    release: str = ""
    address: str = ""
    other: str = ""


async def proxy_change(  # noqa: PLR0913  what, where, and how
    choice: Choice,
    caller: Caller,
    interruption: Interruption,
    action: ProxyAction,
    *,
    rolling: bool = False,
    force: bool = False,
) -> Report:
    """Do `action` with the proxies of the chosen hosts, and report.

    Raises Refused for removing one that the application is behind, unless `force` is set.
    """
    async with open_context(choice, caller) as context:
        run, hosts = Run.new(context, caller, interruption), context.chosen_hosts()

        def plan(facts: Facts) -> Plan:
            behind = [host.host for host in facts.hosts if host.host in hosts and host.live and host.running]
            if action == "remove" and behind and not force:
                raise Refused(
                    "proxy.in_use",
                    f"{context.site.service} is served through the proxy of {', '.join(behind)}",
                    next=f"`shipway app remove{choice.options}` first, or add --force",
                )
            return plan_proxy(context.site, facts, run.id, action, hosts, rolling=rolling)

        return await change(run, plan)


async def proxy_details(choice: Choice, caller: Caller) -> tuple[ProxyRow, ...]:
    """Return what the proxy of each chosen host does."""
    async with open_context(choice, caller) as context:
        facts, rows = await context.observe(), []
        for name in context.chosen_hosts():
            if context.site.target(name).proxy is None:
                continue
            host = facts.of(name)
            about = (name, host.is_proxy_up, host.is_in_maintenance)
            serving = serving_on(context.site, host)
            found = [ProxyRow(*about, role, serving[role], host.live[role], host.predecessor) for role in serving]
            rows += found or [ProxyRow(*about, other=host.predecessor)]
        return tuple(rows)
