"""What is true of accessories on their hosts."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.core.facts import AccessoryFacts
from shipway.core.ports import Request, Transport
from shipway.engine.observe import all_or_unreachable
from shipway.planning.accessories import AccessoryTarget
from shipway.runtimes.docker.accessory import AccessorySpec
from shipway.runtimes.docker.accessory_parse import parse, probe


async def observe_accessories(targets: Sequence[AccessoryTarget], transport: Transport) -> tuple[AccessoryFacts, ...]:
    """Return what was found of each of `targets`, one exchange per host, all at once. Raises Unreachable."""
    by_host: dict[str, list[AccessorySpec]] = {}
    for target in targets:
        by_host.setdefault(target.spec.host, []).append(target.spec)
    found = await all_or_unreachable({host: _ask(transport, host, specs) for host, specs in by_host.items()})
    return tuple(facts for host in by_host for facts in found[host])


async def _ask(transport: Transport, host: str, specs: list[AccessorySpec]) -> tuple[AccessoryFacts, ...]:
    (result,) = await transport.exchange(host, [Request(probe(specs), "never")])
    return parse(specs, result)
