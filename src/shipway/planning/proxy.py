"""`proxy boot`, `start`, `stop`, `restart`, `reboot` and `remove`: the proxy of hosts, for every service on them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from shipway.core.errors import Refused
from shipway.core.facts import Facts
from shipway.core.step import Plan, Stage, Step, Verb
from shipway.planning.site import Site, Target
from shipway.planning.stages import plan_in_place, stage

ProxyAction = Literal["boot", "start", "stop", "restart", "reboot", "remove"]
_KINDS: Mapping[ProxyAction, tuple[Verb, str]] = {
    "boot": ("proxy boot", "Start the proxy"),
    "start": ("proxy start", "Start the proxy"),
    "stop": ("proxy stop", "Stop the proxy"),
    "restart": ("proxy restart", "Restart the proxy"),
    "reboot": ("proxy reboot", "Make the proxy anew"),
    "remove": ("proxy remove", "Remove the proxy"),
}


def plan_proxy(  # noqa: PLR0913  what, where, and how
    site: Site, facts: Facts, run: str, action: ProxyAction, hosts: Collection[str], *, rolling: bool = False
) -> Plan:
    """Return the plan of `action` on those of `hosts` that have a proxy; `rolling`: one host after the other.

    Raises Refused where another tool's proxy has the ports.
    """
    targets = [target for target in site.targets if target.proxy is not None and target.host in hosts]
    for target in targets:
        if (other := facts.of(target.host).predecessor) and action != "remove":
            raise Refused(
                "proxy.predecessor",
                f"{other} has the ports of {target.host}",
                where=target.host,
                next="`shipway deploy` puts Shipway's proxy in its place in one short step, which is shown before",
            )
    groups = [[target] for target in targets] if rolling else [targets]
    stages: tuple[Stage, ...] = ()
    verb, title = _KINDS[action]
    for group in groups:
        names = f" on {group[0].host}" if rolling else ""
        stages += stage(f"{title}{names}", (tuple(_steps(target, action)) for target in group))
    return plan_in_place(site, facts, run, verb, stages)


def _steps(target: Target, action: ProxyAction) -> Iterator[Step]:
    if target.proxy is None:
        return
    if action == "remove":
        yield from target.proxy.remove_steps()
        return
    if action in ("stop", "restart", "reboot"):
        yield from target.proxy.stop_steps()
    if action != "stop":
        yield from target.proxy.host_steps()
