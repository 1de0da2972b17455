"""`demo`: the whole life of a site on this machine, and whether everything held that was claimed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shipway.app.demo.http import Address
from shipway.app.demo.local_site import Display, LocalSite
from shipway.app.demo.runner import Played, Staging, Teller, play
from shipway.app.demo.story import ACTS
from shipway.app.demo.websocket import echo_service
from shipway.app.demo.workspace import package_cache, workspace
from shipway.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of the demo. With `keep` the site goes on at `address`, and its project stands in `project`."""

    played: Played
    address: Address
    project: Path
    is_kept: bool


async def demo(teller: Teller, display: Display, say: Callable[[str], None], *, keep: bool = False) -> Shown:
    """Play all acts in a temporary directory, which is left only with `keep`. Raises UsageError without /proc."""
    if sys.platform != "linux":
        raise UsageError("demo.needs_linux", "the demo needs Linux: it finds what it has to clean up in /proc")
    async with workspace() as place, echo_service() as neighbour:
        say(f"Everything happens in {place.path} and is removed at the end; packages stay in {package_cache()}.")
        site = LocalSite(place.project, neighbour, display)
        played = await play(ACTS, site, teller, Staging())
        place.keep = keep
        return Shown(played, site.address, place.project.path, keep)
