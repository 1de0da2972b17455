"""Which version a deploy is to bring: HEAD, one that was named, what serves already, or what serves elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipway.app.call import Caller, Choice
from shipway.app.context import Context, open_context
from shipway.core.errors import Refused
from shipway.planning.history import base_release, version_of
from shipway.planning.ready import check_ready


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be released.

    `is_live`: what serves now, once more. `source`: what serves in that destination. `skips_build`: the image is in
    the registry already. `no_cache`: the build uses nothing of earlier ones. With a `version` in the choice, with
    `is_live` and with `source` nothing is built either. `approve` is the fingerprint of migrations that may run,
    `window`: the site may be closed for them.
    """

    is_live: bool = False
    source: str = ""
    skips_build: bool = False
    no_cache: bool = False
    approve: str = ""
    window: bool = False


async def choice_for(choice: Choice, caller: Caller, wanted: Wanted) -> Choice:
    """Return `choice` with the version that serves in the destination `wanted.source`, if there is one. Raises Refused.

    The other destination's hosts are asked; nothing is changed there.
    """
    if not wanted.source:
        return choice
    elsewhere = replace(choice, destination=wanted.source, hosts=(), roles=())
    async with open_context(elsewhere, caller) as context:
        return replace(choice, version=await live_version(context))


async def live_version(context: Context) -> str:
    """Return the version of the release that serves. Raises Refused where nothing serves, or nobody wrote it down."""
    facts = await context.observe()
    check_ready(facts)
    release = base_release(context.site, facts)
    version = version_of(release, facts.primary.records)
    if version:
        return version
    options = context.choice.options
    what = f"{release} serves, and the ledger does not tell its version" if release else "no release serves"
    raise Refused(
        "deploy.no_live_version",
        f"{what}, so it cannot be released again",
        where=context.site.service,
        next=f"`shipway deploy{options}`, or `shipway deploy --version VERSION{options}`",
    )
