"""What the runtime of each host keeps for a service, in the runtime's own words: containers, images."""

from __future__ import annotations

from typing import Literal

from shipway.app.answers import Ran
from shipway.app.call import Caller, Choice
from shipway.app.context import open_context
from shipway.core.errors import Refused
from shipway.core.ports import Request

Listing = Literal["containers", "images"]


async def listing(choice: Choice, caller: Caller, what: Listing) -> tuple[Ran, ...]:
    """Return what each chosen host lists. Raises Refused where the runtime has no such thing."""
    async with open_context(choice, caller) as context:
        found = []
        for host in context.chosen_hosts():
            command = context.site.target(host).runtime.listings().get(what)
            if command is None:
                raise Refused(
                    "app.no_listing",
                    f"with `runtime: {context.service.config.runtime}` there are no {what}",
                    where=host,
                    next=f"`shipway status{context.choice.options}` shows what runs, `shipway releases` what is kept",
                )
            (result,) = await context.transport.exchange(host, [Request(command, "never")])
            stderr = result.stderr.decode("utf-8", "replace")
            found.append(Ran(host, "", "", result.status, result.text, stderr, is_cut=result.truncated))
        return tuple(found)
