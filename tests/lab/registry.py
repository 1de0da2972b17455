"""The private registry: a password, a certificate of its own, an address on the lab's network."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from pathlib import Path

from tests.lab.engine import Engine
from tests.lab.images import reference
from tests.lab.places import ADDRESSES, NETWORK, PREFIX, REGISTRY_PASSWORD, REGISTRY_PORT, REGISTRY_USER
from tests.lab.shell import wait_for, write

CONTAINER = f"{PREFIX}-registry"


def start(engine: Engine, data: Path, container: str = CONTAINER) -> None:
    """Run it on this directory and wait until it answers."""
    data.mkdir(parents=True, exist_ok=True)
    keys = engine.places.keys
    password_file = keys / "htpasswd"
    if not password_file.exists():
        words = (
            "run",
            "--rm",
            "-i",
            "--network=none",
            "--entrypoint=htpasswd",
            reference("registry"),
            "-niB",
            REGISTRY_USER,
        )
        write(password_file, engine.run(*words, stdin=REGISTRY_PASSWORD))
    settings = {
        "REGISTRY_AUTH": "htpasswd",
        "REGISTRY_AUTH_HTPASSWD_REALM": "Shipway lab",
        "REGISTRY_AUTH_HTPASSWD_PATH": "/keys/htpasswd",
        "REGISTRY_HTTP_TLS_CERTIFICATE": "/keys/registry.crt",
        "REGISTRY_HTTP_TLS_KEY": "/keys/registry.key",
    }
    environment = [f"--env={name}={value}" for name, value in settings.items()]
    mounts = [f"--volume={data}:/var/lib/registry"]
    mounts += [f"--volume={keys / name}:/keys/{name}:ro" for name in ("htpasswd", "registry.crt", "registry.key")]
    place = (f"--name={container}", f"--network={NETWORK}", f"--ip={ADDRESSES.registry}", "--network-alias=registry")
    engine.run("run", "--detach", *place, *environment, *mounts, reference("registry"))
    what = f"an answer of the registry at {ADDRESSES.registry_server}"
    next_step = f"docker -H {engine.places.docker_host} logs {container}"
    context = ssl.create_default_context(cafile=str(engine.places.ca))
    wait_for(what, lambda: _answers(context), limit_s=30, next=next_step)


def is_up(engine: Engine) -> bool:
    """Whether its container runs."""
    return CONTAINER in engine.run("ps", "--format", "{{.Names}}").split()


def log_in(engine: Engine) -> None:
    """Log the lab's own client in; what people and tests use stays logged out."""
    words = ("login", "--username", REGISTRY_USER, "--password-stdin", ADDRESSES.registry_server)
    engine.run(*words, stdin=REGISTRY_PASSWORD)


def _answers(context: ssl.SSLContext) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        opener.open(f"https://{ADDRESSES.registry}:{REGISTRY_PORT}/v2/", timeout=5)
    except urllib.error.HTTPError as answer:
        return answer.code == 401
    except OSError:
        return False
    return True
