"""The only wiring: from a choice of the command line to a service with its hosts, transport, secrets and clock."""

from __future__ import annotations

import getpass
import os
import secrets as entropy
import shlex
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipway.adapters.clock import SystemClock
from shipway.adapters.git import Tree
from shipway.adapters.process import is_gone, this_process
from shipway.adapters.redact import Redactor
from shipway.app.accessory_facts import observe_accessories
from shipway.app.build import Building
from shipway.app.call import Caller, Choice
from shipway.app.hook_facts import hook_facts
from shipway.app.hooks import Hooks
from shipway.app.hosts import HostBasics, host_basics
from shipway.app.notice import Around as NoticeAround
from shipway.app.notice import Notice
from shipway.app.person import person_of
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
from shipway.engine.world import Author, Boundary, StopRequest, World
from shipway.planning.accessories import AccessoryTarget
from shipway.planning.site import Site


def _deaf(_event: Event) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True)
class Context:
    """A service in one destination, with everything that reaches it. `layouts` has the primary host first.

    `basics` has every host that was asked for them. `watched` are the accessories that `observe` looks at.
    """

    choice: Choice
    service: Service
    site: Site
    transport: Transport
    clock: Clock
    author: Author
    hooks: Hooks = field(default_factory=Hooks)
    basics: Mapping[str, HostBasics] = field(default_factory=dict)
    watched: tuple[AccessoryTarget, ...] = ()
    notice: Notice = field(default_factory=Notice)

    @property
    def tree(self) -> Tree:
        """The git tree that would be deployed."""
        return self.service.tree

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """Where things stand on each host."""
        layouts = {target.host: target.layout for target in self.site.targets}
        others = {host: Layout(basics.state, self.site.service) for host, basics in self.basics.items()}
        return {**layouts, **{host: layout for host, layout in others.items() if host not in layouts}}

    def at_version(self, version: str) -> Context:
        """Return the same context for another version of the project. Raises ConfigError."""
        service = replace(self.service, version=version)
        site = site_of(service, {target.host: self.basics[target.host] for target in self.site.targets})
        check_releasable(site)
        return replace(self, service=service, site=site)

    def chosen_hosts(self) -> tuple[str, ...]:
        """Return the hosts that `--hosts` and `--primary` mean, all without them; raises UsageError."""
        chosen = select(self.choice.hosts, [target.host for target in self.site.targets], "host")
        return chosen[:1] if self.choice.is_primary_only else chosen

    def chosen_roles(self) -> tuple[str, ...]:
        """Return the roles that `--roles` means, all without it; raises UsageError."""
        return select(self.choice.roles, [role.name for role in self.site.roles], "role")

    async def observe(self, look: Look | None = None) -> Facts:
        """Return what is true on all hosts now; raises Unreachable. `look`: answers that rode with something else."""
        facts = await observe(self.site.targets, self.transport, self.clock, look)
        if not self.watched:
            return facts
        return replace(facts, accessories=await observe_accessories(self.watched, self.transport))

    def look(self) -> Look:
        """Return the questions to the primary host, to ride with something else that is asked of it."""
        return Look(self.site.targets[0], self.clock)

    def world(
        self,
        listen: Listener = _deaf,
        stop: StopRequest | None = None,
        note: str = "",
        boundary: Boundary | None = None,
    ) -> World:
        """Return what the engine needs for a run."""
        world = World(
            transport=self.transport,
            clock=self.clock,
            layouts=self.layouts,
            author=replace(self.author, note=note),
            listen=listen,
            stop=stop or StopRequest(),
            options=self.choice.options,
            is_gone=is_gone,
        )
        return world if boundary is None else replace(world, boundary=boundary)

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
async def open_context(  # noqa: PLR0913  each is a different thing that a verb may ask
    choice: Choice,
    caller: Caller,
    *,
    releases: bool = False,
    everywhere: bool = False,
    service: Service | None = None,
    building: Building | None = None,
    announces: bool = True,
) -> AsyncIterator[Context]:
    """Give the context of a choice and close its connections afterwards. Raises ConfigError and Unreachable.

    With `releases` a new release is to be made: a git tree and every secret must be there before a host is contacted.
    `building` begins after that, and goes on while the hosts are connected to.
    `announces`: the tree is said, since it is what will be released.
    `everywhere`: hosts that have accessories and no role are part of it. `service`: it was loaded already.
    """
    service = service or load_service(choice)
    if releases:
        sentence = service.tree.sentence
        if announces:
            caller.say(sentence)
        service.secrets.check()
    for finding in service.warnings:
        caller.say(f"{finding.level}[{finding.code}]: {finding.what} ({finding.where})")
    redactor = Redactor.of(service.secrets)
    hooks = hooks_of(service, choice, caller, redactor)
    caller.on_secrets(lambda text: redactor.clean(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace"))
    transport, clock = transport_of(service), SystemClock()
    notice = notice_of(service, choice, caller, clock, redactor)
    try:
        await hooks.run("pre-connect")
        if building is not None:
            building.begin(service, _before_build(hooks))
        basics = await host_basics(service.config, transport, everywhere=everywhere)
        app_hosts = service.config.app_hosts or tuple(basics)
        if building is not None:
            ways = await building.ways(transport, tuple(app_hosts))
            basics = {host: replace(known, pull=ways.get(host)) for host, known in basics.items()}
        site = site_of(service, {host: basics[host] for host in app_hosts})
        if releases:
            check_releasable(site)
        yield Context(choice, service, site, transport, clock, _author(), hooks, basics, notice=notice)
    finally:
        try:
            await notice.close(caller.say)
        finally:
            await transport.close()


def notice_of(service: Service, choice: Choice, caller: Caller, clock: Clock, redactor: Redactor) -> Notice:
    """Return what tells others of a run in this call."""
    around = NoticeAround(
        service=service.config.service,
        destination=choice.destination or "",
        who=person_of(caller.by, os.environ, service.directory).name if service.config.notify else "",
        clean=lambda text: redactor.clean(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace"),
        environ=dict(os.environ),
    )
    return Notice(service.config.notify, service.secrets, around, clock)


def _before_build(hooks: Hooks) -> Callable[[], Awaitable[None]]:
    async def before() -> None:
        await hooks.run("pre-build")

    return before


def hooks_of(service: Service, choice: Choice, caller: Caller, redactor: Redactor) -> Hooks:
    """Return the hooks of the project, as a call may run them."""
    return Hooks(
        folder=None if caller.skips_hooks else Path(service.directory, service.config.hooks.path),
        directory=service.directory,
        settings=service.config.hooks,
        secrets=service.secrets,
        redactor=redactor,
        caller=caller,
        facts=lambda: hook_facts(service, choice, caller),
        environ=dict(os.environ),
    )


def _author() -> Author:
    """Return who runs this process, and on which machine."""
    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        who = "somebody without a name"
    return Author(who, shlex.quote(socket.gethostname())[:100], process=this_process())
