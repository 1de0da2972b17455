"""The images of the lab, made without any public registry and kept until their recipe changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.lab import base
from tests.lab.engine import Engine
from tests.lab.places import IMAGES, PREFIX
from tests.lab.shell import at_once, say

_AT_ONCE = 3  # waiting for downloads and unpacking take turns, so a little more than the cores of a small machine


@dataclass(frozen=True)
class Image:
    """A folder of `images/` with a Dockerfile, the image it starts from, and the public names that it answers to."""

    name: str
    parents: tuple[str, ...]
    tags: tuple[str, ...]
    on_servers: bool = False  # is in every server's own engine from the start


BASE = Image("base", (), ("debian:bookworm-slim", "debian:12"))
TABLE = (
    Image("python", ("base",), ("python:3.11-slim",), on_servers=True),
    Image("postgres", ("base",), ("postgres:16",), on_servers=True),
    Image("redis", ("base",), ("redis:7",), on_servers=True),
    Image("caddy", ("base", "python"), ("caddy:2",), on_servers=True),
    Image("registry", ("base",), ("registry:3", "registry:2")),
    Image("server-bare", ("base",), ()),
    Image("server", ("server-bare",), ()),
)


def reference(name: str) -> str:
    """The lab's own name of an image; tests use the public ones."""
    return f"{PREFIX}/{name}:latest"


def digests() -> dict[str, str]:
    """The digest of each recipe: of its own files, and of what it starts from."""
    found = {"base": _digest([base.recipe()])}
    for image in TABLE:
        folder = IMAGES / image.name
        files = [
            f"{path.name}\n{path.stat().st_mode & 0o111}\n".encode() + path.read_bytes() for path in _files(folder)
        ]
        found[image.name] = _digest([*(found[parent].encode() for parent in image.parents), *files])
    return found


def build(engine: Engine) -> dict[str, str]:
    """Build what is missing or old, and return the digests of the recipes."""
    wanted = digests()
    listing = engine.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").splitlines()
    have = dict(line.split() for line in listing)
    if _kept("base", wanted) not in have:
        base.build(engine, _kept("base", wanted))
    _name(engine, BASE, _kept("base", wanted), have)
    todo = [image for image in TABLE if _kept(image.name, wanted) not in have]
    if todo:
        say(f"Building images: {', '.join(image.name for image in todo)}")
    done = {"base", *(image.name for image in TABLE if image not in todo)}
    while todo:
        ready = [image for image in todo if done.issuperset(image.parents)]
        at_once([partial(_build, engine, image, wanted, have) for image in ready], _AT_ONCE)
        done.update(image.name for image in ready)
        todo = [image for image in todo if image.name not in done]
    for image in TABLE:
        _name(engine, image, _kept(image.name, wanted), have)
    return wanted


def _build(engine: Engine, image: Image, wanted: dict[str, str], have: dict[str, str]) -> None:
    """The name that says "this recipe is built" is given when the build has ended, so half a build is built again."""
    kept = _kept(image.name, wanted)
    engine.run("build", "--quiet", "--tag", kept, IMAGES / image.name, limit_s=600)
    _name(engine, image, kept, have)
    say(f"  {image.name} is built")


def _name(engine: Engine, image: Image, kept: str, have: dict[str, str]) -> None:
    for tag in (*image.tags, reference(image.name)):
        if kept not in have or have.get(tag) != have[kept]:
            engine.run("tag", kept, tag)


def _kept(name: str, wanted: dict[str, str]) -> str:
    return f"{PREFIX}/{name}:{wanted[name]}"


def _files(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(parts: Sequence[bytes]) -> str:
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]
