"""The site of the demo: the example project, deployed on this machine by the command itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from shipway.app.call import Choice
from shipway.app.demo.command import Ran, run_shipway
from shipway.app.demo.http import Address
from shipway.app.demo.neighbour import move_in
from shipway.app.demo.project import Project
from shipway.app.demo.story import Outcome
from shipway.core.errors import Exit
from shipway.core.events import Event


class Watcher(Protocol):
    """Shows the events of one run."""

    def listen(self, event: Event) -> None:
        """Show one event."""
        ...


Display = Callable[[], AbstractContextManager[Watcher]]
"""Makes what shows one run while it goes on."""


class LocalSite:
    """A `runner.Site`: each change is the command that a user would type, run in the project's directory."""

    def __init__(self, project: Project, neighbour: Address, display: Display) -> None:
        self._project, self._neighbour, self._display = project, neighbour, display
        self._echo: Address | None = None
        self.runs: list[Ran] = []

    @property
    def address(self) -> Address:
        """Where visitors reach the site."""
        return Address("127.0.0.1", self._project.place.http_port, "localhost")

    @property
    def echo(self) -> Address | None:
        """Where the other service answers, once the proxy stands."""
        return self._echo

    async def deploy(self, version: str) -> Outcome:
        """Commit `version` and run `shipway deploy`."""
        await asyncio.to_thread(self._project.commit, version)
        return await self.deploy_head()

    async def deploy_head(self) -> Outcome:
        """Run `shipway deploy` for what is committed; after the first one let the other service move in."""
        outcome = await self._run("deploy")
        if self._echo is None and outcome.exit is Exit.OK:
            choice = Choice(config_file=str(self._project.path / "config" / "deploy.yml"))
            self._echo = await move_in(choice, self._neighbour, self.address)
        return outcome

    async def rollback(self) -> Outcome:
        """Run `shipway rollback`."""
        return await self._run("rollback", "--yes")

    async def _run(self, *words: str) -> Outcome:
        with self._display() as display:
            ran = await run_shipway(words, self._project.path, display.listen)
        self.runs.append(ran)
        return _outcome(ran)


def _outcome(ran: Ran) -> Outcome:
    took = ran.report.get("took_s", 0.0)
    # Of what the program said the last line is the cause; the whole is in the display above.
    parts = (str(ran.error.get(key, "")).strip().rpartition("\n")[2] for key in ("what", "said", "now"))
    said = "; ".join(part for part in parts if part)
    return Outcome(
        exit=ran.exit,
        release=str(ran.report.get("release", "")),
        took_s=float(took) if isinstance(took, (int, float)) else 0.0,
        error_code=str(ran.error.get("code", "")),
        what=said,
    )
