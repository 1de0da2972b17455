"""What servers and the registry start with: images that are already pulled and pushed, made once.

A server's engine has pulled the public images from the lab's registry, so it knows their layers as a server does that
has deployed before, and later pulls skip them. Copies share the layers' files by hard links: an engine never writes
into a layer once it is unpacked, nor a registry into a blob, so a copy costs a fraction of a second and no disk.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab import keys, registry, servers
from tests.lab.engine import Engine
from tests.lab.images import TABLE
from tests.lab.places import ADDRESSES, PREFIX, REGISTRY_PASSWORD, REGISTRY_USER, Places
from tests.lab.shell import remove_tree, run, say, write

_SEED = f"{PREFIX}-seed"
_SEED_REGISTRY = f"{PREFIX}-seed-registry"
_SEED_NUMBER = 0
# What a server's engine writes for itself and makes anew when it starts.
_OWN = ("containers", "network", "containerd", "runtimes", "tmp", "swarm", "plugins", "trust")


def ensure(engine: Engine, digests: dict[str, str]) -> None:
    """Make the template anew if an image in it has changed."""
    images = [image for image in TABLE if image.on_servers]
    names = [*(image.name for image in images), "registry"]
    wanted = "\n".join([ADDRESSES.registry_server, *(f"{name} {digests[name]}" for name in names)])
    stamp = engine.places.template / "made-from"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("Filling a registry and a server's engine with the images (about a minute, once)")
    place = engine.places.template
    forget_seed(engine)
    remove_tree(place)
    registry.start(engine, place / "registry", _SEED_REGISTRY)
    _push(engine, [tag for image in images for tag in image.tags])
    _pull(engine, [tag for image in images for tag in image.tags])
    engine.run("rm", "--force", _SEED_REGISTRY)
    write(stamp, wanted)


def copy(places: Places, part: str, target: Path) -> None:
    """A copy of `docker` or `registry` for one that starts; big files are shared."""
    remove_tree(target)
    target.mkdir(parents=True)
    source = places.template / part
    linked = {"docker": "overlay2", "registry": "docker/registry/v2/blobs"}[part]
    words = ("tar", "-C", source, "--exclude", f"./{linked}", "-c", ".")
    archive = target.with_name(target.name + ".tar")
    run((*words, "-f", archive), "the template was not read", limit_s=120)
    run(("tar", "-C", target, "-xp", "-f", archive), "the template was not copied", limit_s=120)
    archive.unlink()
    goal = target / linked
    goal.parent.mkdir(parents=True, exist_ok=True)
    run(("cp", "-al", source / linked, goal), "the template was not linked", limit_s=120)


def forget_seed(engine: Engine) -> None:
    """Remove what an interrupted filling left, and the registry that has its address."""
    engine.ask("rm", "--force", "--volumes", _SEED, _SEED_REGISTRY, registry.CONTAINER, limit_s=60)


def _push(engine: Engine, tags: list[str]) -> None:
    registry.log_in(engine)
    for tag in tags:
        there = _there(tag)
        engine.run("tag", tag, there)
        engine.run("push", "--quiet", there, limit_s=180)
        engine.run("rmi", there)
    engine.run("logout", ADDRESSES.registry_server)


def _pull(engine: Engine, tags: list[str]) -> None:
    data = engine.places.template / "docker"
    data.mkdir(parents=True)
    servers.start(engine, _SEED, data, servers.Server(_SEED_NUMBER, bare=False, made_from="seed"))
    servers.wait(engine, _SEED)
    inside = ("exec", "-i", _SEED, "docker")
    login = ("login", "--username", REGISTRY_USER, "--password-stdin", ADDRESSES.registry_server)
    engine.run(*inside, *login, stdin=REGISTRY_PASSWORD)
    for tag in tags:
        engine.run(*inside, "pull", "--quiet", _there(tag), limit_s=180)
        engine.run(*inside, "tag", _there(tag), tag)
        engine.run(*inside, "rmi", _there(tag))
    # Its engine has to end by itself: what it knows is in databases that it keeps open.
    engine.run("exec", _SEED, "systemctl", "stop", "docker.socket", "docker.service", "containerd.service")
    engine.run("rm", "--force", "--volumes", _SEED)
    for each in _OWN:
        shutil.rmtree(data / each, ignore_errors=True)
    shutil.rmtree(engine.places.keys / keys.server_name(_SEED_NUMBER), ignore_errors=True)


def _there(tag: str) -> str:
    return f"{ADDRESSES.registry_server}/library/{tag}"
