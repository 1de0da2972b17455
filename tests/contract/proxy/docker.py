"""The Docker engine of this machine, where there is one: for proxies that are containers."""

from __future__ import annotations

import functools
import secrets
import subprocess

import pytest

IMAGE = "caddy:2"


def docker(*words: str) -> str:
    """Return what `docker` said; a failure is none here."""
    ran = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else ""


@functools.cache
def has(image: str) -> bool:
    """Return whether an engine answers and has an image; nothing is pulled."""
    try:
        return bool(docker("image", "inspect", "--format", "{{.Id}}", image))
    except OSError:
        return False


def need(*images: str) -> None:
    """Skip the test where there is no engine with the proxy's image and `images`."""
    missing = [image for image in (IMAGE, *images) if not has(image)]
    if missing:
        pytest.skip(f"needs a Docker engine that has {', '.join(missing)}")


def new_network() -> str:
    """Return the name of a network that nobody else has."""
    name = f"sw-{secrets.token_hex(4)}"
    assert docker("network", "create", name)
    return name


@functools.cache
def gateway(network: str) -> str:
    """Return the address under which containers of a network reach this machine."""
    return docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", network)
