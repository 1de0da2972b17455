"""The life of the lab: up, down, reset. One at a time, each safe after an interruption of the one before."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator, Sequence
from functools import partial

from tests.lab import buildx, images, keys, network, registry, servers, template
from tests.lab.engine import Engine
from tests.lab.facts import Facts, facts_of
from tests.lab.places import MOST_SERVERS, Places
from tests.lab.servers import Server
from tests.lab.shell import LabError, at_once, remove_tree, say

_LOCK_S = 600
_AT_ONCE = 4


@contextlib.contextmanager
def alone(places: Places) -> Iterator[None]:
    """Keep every other `bin/lab` of this directory waiting.

    Raises:
        LabError: another one is still at work after ten minutes.
    """
    places.root.mkdir(parents=True, exist_ok=True)
    with (places.root / "lock").open("w") as lock:
        end, told = time.monotonic() + _LOCK_S, False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise LabError("another bin/lab was at work all the time", f"fuser {lock.name}") from None
            if not told:
                say("Waiting for another bin/lab")
                told = True
            time.sleep(0.2)
        yield


def up(places: Places, count: int, bare: int = 0) -> Facts:
    """Have this many servers running, the last `bare` of them without Docker; those that are as wanted stay.

    Raises:
        LabError: the lab cannot run here, or something failed.
    """
    if not 0 <= bare <= count or not 1 <= count <= MOST_SERVERS:
        raise LabError(f"{count} servers with {bare} of them bare cannot be had", "bin/lab up 3 --bare 1")
    engine = Engine(places)
    engine.start()
    places.running.mkdir(exist_ok=True)
    keys.make_operator(places)
    network.ensure(engine)
    digests: dict[str, str] = {}
    at_once([lambda: digests.update(images.build(engine)), lambda: buildx.ensure(places)], 2)
    template.ensure(engine, digests)
    _start_registry(engine)
    wanted = []
    for number in range(1, count + 1):
        is_bare = number > count - bare
        wanted.append(Server(number, is_bare, digests[servers.image_name(bare=is_bare)]))
    have = servers.running(engine)
    servers.remove(engine, [each for each in have if each not in wanted])
    _boot(engine, [each for each in wanted if each not in have])
    keys.write_client_files(places, [each.number for each in wanted])
    return facts_of(places, wanted)


def reset(places: Places, names: Sequence[str] = ()) -> Facts:
    """Make these servers anew, as they were after the first `up`; without names all of them and the registry.

    Raises:
        LabError: no server runs, or none of that name.
    """
    engine = Engine(places)
    have = servers.running(engine) if engine.is_up else []
    if not have:
        raise LabError("no server runs", "bin/lab up 3")
    if unknown := set(names) - {each.name for each in have}:
        raise LabError(f"no server is called {' or '.join(sorted(unknown))}", "bin/lab status")
    if not names:
        engine.ask("rm", "--force", "--volumes", registry.CONTAINER)
    _start_registry(engine)
    _boot(engine, [each for each in have if not names or each.name in names])
    return facts_of(places, have)


def down(places: Places, *, everything: bool) -> None:
    """Remove servers, registry and network, and end the engine; images stay unless `everything` is to go."""
    engine = Engine(places)
    if engine.is_up:
        _remove_all(engine)
        engine.stop()
    remove_tree(places.running)
    if everything:
        remove_tree(places.root)


def current(places: Places) -> Facts | None:
    """The facts of the lab if it runs."""
    engine = Engine(places)
    if not engine.is_up:
        return None
    have = servers.running(engine)
    return facts_of(places, have) if have and registry.is_up(engine) else None


def _start_registry(engine: Engine) -> None:
    if registry.is_up(engine):
        return
    engine.ask("rm", "--force", "--volumes", registry.CONTAINER)
    data = engine.places.running / "registry"
    template.copy(engine.places, "registry", data)
    registry.start(engine, data)


def _boot(engine: Engine, wanted: Sequence[Server]) -> None:
    if not wanted:
        return
    say(f"Starting {', '.join(each.name for each in wanted)}")
    at_once([partial(servers.create, engine, each) for each in wanted], _AT_ONCE)
    at_once([partial(servers.wait, engine, each.container) for each in wanted], _AT_ONCE)


def _remove_all(engine: Engine) -> None:
    names = engine.run("ps", "--all", "--quiet").split()
    if names:
        engine.ask("rm", "--force", "--volumes", *names, limit_s=120)
    network.remove(engine)
    engine.ask("volume", "prune", "--force")
