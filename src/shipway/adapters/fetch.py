"""HTTP requests to one host: from this machine, or from the host itself where this machine does not reach it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from shipway.adapters.fetch_script import fetch
from shipway.core.action import Command
from shipway.core.errors import ConnectionLost, Unreachable
from shipway.core.ports import Request, Transport

TRACKS = ("verify", "verify-too")
"""Shells of their own, beside the steps of a run; a host takes ten at once (MaxSessions of sshd_config(5))."""
MOST_BYTES_FAR = 600_000
"""What a transport takes in from a host is a megabyte, and a page that cannot be packed grows by a third."""
_MARGIN_S = 10.0
# The source and the request are two lines of JSON: what is sent in a form may be secret, so nothing is an argument.
_BOOT = 'import json, sys; exec(compile(json.loads(sys.stdin.readline()), "fetch", "exec"), {"__name__": "__main__"})'


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Asks the proxy of one host: at `address` from here, or at `inside` from the host itself (`is_far`)."""

    host: str
    address: str
    inside: str
    transport: Transport
    is_far: bool = False
    _turn: Iterator[str] = field(default_factory=lambda: itertools.cycle(TRACKS), compare=False)

    async def __call__(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the answer as `fetch_script` gives it. Never raises for what the site or the host did."""
        if not self.is_far:
            return await asyncio.to_thread(fetch, {**asked, "address": self.address})
        source = resources.files("shipway.adapters").joinpath("fetch_script.py").read_text(encoding="utf-8")
        asked = {**asked, "address": self.inside, "most": min(asked.get("most", 0), MOST_BYTES_FAR)}
        lines = f"{json.dumps(source)}\n{json.dumps(asked)}\n"
        command = Command(("python3", "-I", "-c", _BOOT), (lines,), limit_s=float(asked["limit_s"]) * 2 + _MARGIN_S)
        try:
            (result,) = await self.transport.exchange(self.host, [Request(command, "never")], track=next(self._turn))
        except (ConnectionLost, Unreachable) as error:
            return {"trouble": "unreachable", "said": error.what}
        try:
            found = json.loads(result.stdout)
        except ValueError:
            return {"trouble": "unreachable", "said": f"{self.host} could not ask: {result.said[-200:]}"}
        return found if isinstance(found, dict) else {"trouble": "broken", "said": "no answer"}
