"""The only wiring: from a choice of the command line to a service with its hosts, transport, secrets and clock."""

from __future__ import annotations

import getpass
import secrets as entropy
import shlex
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from shipway.adapters.clock import SystemClock
from shipway.adapters.git import Tree
from shipway.adapters.process import is_gone, this_process
from shipway.adapters.redact import Redactor
from shipway.app.call import Caller, Choice
from shipway.app.hosts import host_basics
from shipway.app.select import select
from shipway.app.service import Service, load_service
from shipway.app.targets import check_releasable, site_of
from shipway.app.transport import transport_of
from shipway.core.events import Event, Listener
from shipway.core.facts import Facts
from shipway.core.layout import Layout
from shipway.core.ports import Clock, Transport
from shipway.engine.lock import Owner
from shipway.engine.observe import Look, observe
from shipway.engine.world import Author, StopRequest, World
from shipway.planning.site import Site


def _deaf(_event: Event) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True)
class Context:
    """A service in one destination, with everything that reaches it. `layouts` has the primary host first."""

    choice: Choice
    service: Service
    site: Site
    transport: Transport
    clock: Clock
    author: Author

    @property
    def tree(self) -> Tree:
        """The git tree that would be deployed."""
        return self.service.tree

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """Where things stand on each host."""
        return {target.host: target.layout for target in self.site.targets}

    def chosen_hosts(self) -> tuple[str, ...]:
        """Return the hosts that `--hosts` means, all without it; raises UsageError."""
        return select(self.choice.hosts, [target.host for target in self.site.targets], "host")

    def chosen_roles(self) -> tuple[str, ...]:
        """Return the roles that `--roles` means, all without it; raises UsageError."""
        return select(self.choice.roles, [role.name for role in self.site.roles], "role")

    async def observe(self, look: Look | None = None) -> Facts:
        """Return what is true on all hosts now; raises Unreachable. `look`: answers that rode with something else."""
        return await observe(self.site.targets, self.transport, self.clock, look)

    def look(self) -> Look:
        """Return the questions to the primary host, to ride with something else that is asked of it."""
        return Look(self.site.targets[0], self.clock)

    def world(self, listen: Listener = _deaf, stop: StopRequest | None = None, note: str = "") -> World:
        """Return what the engine needs for a run."""
        return World(
            transport=self.transport,
            clock=self.clock,
            layouts=self.layouts,
            author=replace(self.author, note=note),
            listen=listen,
            stop=stop or StopRequest(),
            options=self.choice.options,
            is_gone=is_gone,
        )

    def new_run(self) -> str:
        """Return an id for a run: when it began, and four random digits against a second one in that second."""
        return f"{self.clock.now():%Y%m%d-%H%M%S}-{entropy.token_hex(2)}"

    def token(self) -> str:
        """Return a word that nobody else has."""
        return entropy.token_hex(8)

    def owner(self, run: str, message: str, *, is_manual: bool = False) -> Owner:
        """Return who takes the lock."""
        author = self.author
        return Owner(author.who, author.origin, run, self.token(), message, is_manual, author.process)


@asynccontextmanager
async def open_context(choice: Choice, caller: Caller, *, releases: bool = False) -> AsyncIterator[Context]:
    """Give the context of a choice and close its connections afterwards. Raises ConfigError and Unreachable.

    With `releases` a new release is to be made: a git tree and every secret must be there before a host is contacted.
    """
    service = load_service(choice)
    if releases:
        caller.say(service.tree.sentence)
        service.secrets.check()
    for finding in service.warnings:
        caller.say(f"{finding.level}[{finding.code}]: {finding.what} ({finding.where})")
    redactor = Redactor.of(service.secrets)
    caller.on_secrets(lambda text: redactor.clean(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace"))
    transport = transport_of(service)
    try:
        hosts = await host_basics(service.config, transport)
        site = site_of(service, hosts)
        if releases:
            check_releasable(site)
        yield Context(choice, service, site, transport, SystemClock(), _author())
    finally:
        await transport.close()


def _author() -> Author:
    """Return who runs this process, and on which machine."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        who = "somebody without a name"
    return Author(who, shlex.quote(socket.gethostname())[:100], process=this_process())
