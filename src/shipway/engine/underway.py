"""The exchanges that carry several steps, and how all of them are asked to end when their run is to halt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shipway.core.ports import Heard, Output, Request, Transport

Key = tuple[str, str]


class Underway:
    """Runs exchanges. `halt` asks those that are under way to end before their next step."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._running: dict[Key, list[asyncio.Task[None]]] = {}

    async def exchange(self, host: str, requests: Sequence[Request], track: str, output: Output, heard: Heard) -> None:
        """Run `requests` as a transport does. A question to end that is still on its way afterwards is taken back."""
        asked = self._running[host, track] = []
        try:
            await self._transport.exchange(host, requests, track=track, output=output, heard=heard)
        finally:
            self._running.pop((host, track), None)
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    def halt(self, but: Key | None = None) -> None:
        """Ask every exchange under way to end, less that of the lane `but`, which has ended by itself."""
        for (host, track), asked in self._running.items():
            if (host, track) != but and not asked:
                asked.append(asyncio.ensure_future(self._transport.halt(host, track)))
