"""Logging in to a registry, and reading why that failed."""

from __future__ import annotations

import re
from typing import Literal

from shipway.config.registry import Registry
from shipway.core.here import HERE, HereStep
from shipway.core.secret import SecretRef, Text
from shipway.runtimes.docker.settings import DOCKER_HUB

HUB = "Docker Hub"
_LOGIN_LIMIT_S = 60.0
AUTH_SCRIPT = """\
import base64, json, os, sys
server, home = sys.argv[1], os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
user, _, password = sys.stdin.read().partition("\\n")
os.makedirs(home, mode=0o700, exist_ok=True)
path = os.path.join(home, "config.json")
config = {}
if os.path.exists(path):
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
auth = base64.b64encode((user + ":" + password).encode()).decode()
config.setdefault("auths", {})[server] = {"auth": auth}
if config.get("credsStore") or server in config.get("credHelpers", {}):
    config.setdefault("credHelpers", {})[server] = ""
with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
    json.dump(config, file, indent=1)
os.replace(path + ".new", path)
"""
"""For a user's name that is a secret: `docker login` takes a name from its arguments only, where all can read it.

This writes what `docker login` writes (docker/cli, config/configfile): name and password come by standard input. An
empty helper makes the client read the file for this server, where others are kept by a helper.
"""

Trouble = Literal["refused", "unreachable", "certificate", "other"]
# As Docker 20.10 and 28 say it; samples stand in the test.
_REFUSED = re.compile(
    r"unauthorized|incorrect username or password|denied|401|403|no basic auth credentials", re.IGNORECASE
)
_CERTIFICATE = re.compile(r"x509|certificate|server gave HTTP response to HTTPS client", re.IGNORECASE)
_AWAY = re.compile(
    r"connection refused|no such host|i/o timeout|no route to host|network is unreachable|timeout|EOF"
    r"|server misbehaving|connection reset|50[0-9] ",
    re.IGNORECASE,
)


def needs_login(registry: Registry) -> bool:
    """Whether there is something to log in to, and somebody to log in as."""
    return not registry.is_local and registry.username is not None and registry.password is not None


def login_step(registry: Registry) -> HereStep:
    """Return the step that logs in here; the password travels by standard input."""
    server = (registry.server,) if registry.server else ()
    user = registry.username
    password: Text = (registry.password_ref,) if registry.password_ref else ()
    if isinstance(user, SecretRef):
        argv: tuple[str, ...] = ("python3", "-I", "-c", AUTH_SCRIPT, registry.server or DOCKER_HUB)
        stdin: Text = (user, "\n", *password)
    else:
        name = user.value if user else ""
        argv = ("docker", "login", "--username", name, "--password-stdin", *server)
        stdin = password
    who = registry.username_shown() or ""
    title = f"log in to {registry.server or HUB} as {who}"
    return HereStep(f"{HERE}/login", title, argv, stdin=stdin, limit_s=_LOGIN_LIMIT_S)


def trouble_of(said: str) -> Trouble:
    """Return what kept a login, push or pull from working, read from the words of the docker client."""
    if _CERTIFICATE.search(said):
        return "certificate"
    if _REFUSED.search(said):
        return "refused"
    return "unreachable" if _AWAY.search(said) else "other"
