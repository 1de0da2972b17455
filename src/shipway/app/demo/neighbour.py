"""Another service on the same host and proxy, so that the demo can show that deploys leave it alone."""

from __future__ import annotations

from shipway.app.call import Caller, Choice
from shipway.app.context import open_context
from shipway.app.demo.http import Address
from shipway.core.errors import Bug
from shipway.core.layout import Layout
from shipway.core.step import Plan, Stage
from shipway.engine.executor import execute
from shipway.proxies.caddy import Caddy, CaddyRoute, CaddySite

NAME = "neighbour"
_HOST = "neighbour.localhost"


async def move_in(choice: Choice, upstream: Address, front: Address) -> Address:
    """Put the service at `upstream` behind the proxy of the service that `choice` means, whose address is `front`.

    Returns where visitors reach it. Raises Bug when it is not there: the demo would show less than it says.
    """
    async with open_context(choice, Caller()) as context:
        target = context.site.targets[0]
        if not isinstance(target.proxy, Caddy):
            raise Bug("demo.neighbour", f"the proxy of {context.site.service} is not Caddy")
        route = CaddyRoute("web", hosts=(_HOST,))
        proxy = target.proxy.beside(Layout(target.layout.root, NAME), CaddySite(NAME, (route,)))
        endpoint = f"{upstream.host}:{upstream.port}"
        steps = (*proxy.host_steps(), *proxy.switch_steps("web", endpoint, ""))
        plan = Plan(
            run=context.new_run(),
            verb="setup",
            service=context.site.service,
            release="",
            version="",
            base="",
            primary=target.host,
            stages=(Stage("Put another service behind the same proxy", (steps,), commits=True),),
        )
        outcome = await execute(plan, context.world())
    if outcome.failure is not None:
        raise Bug("demo.neighbour", outcome.failure.what, where=outcome.failure.where, said=outcome.failure.said)
    return Address(front.host, front.port, _HOST)
