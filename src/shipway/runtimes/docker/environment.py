"""The environment of a role's containers, as a file of shell assignments that stays with the release (mode 0600)."""

from __future__ import annotations

import re
import shlex

from shipway.core.secret import SecretRef, Text
from shipway.core.unit import Unit
from shipway.runtimes.docker.settings import DockerSettings
from shipway.runtimes.docker.words import EXPANSION

_NAME = re.compile(r"[^\s=\0'\"]+\Z")


def env_file(unit: Unit, container: str, settings: DockerSettings) -> Text:
    """Return the environment of `unit`, one assignment a line; secrets are references.

    What Kamal and Shipway tell a container comes first, so that the user's own values win. `${NAME}` in a clear value
    stands in double quotes and is taken from the host's environment when the container is made.
    """
    ours = {
        "KAMAL_CONTAINER_NAME": container,
        "KAMAL_VERSION": unit.version,
        "KAMAL_HOST": unit.host,
        **({"KAMAL_DESTINATION": settings.destination} if settings.destination else {}),
        "SHIPWAY_SERVICE": unit.service,
        "SHIPWAY_ROLE": unit.role,
        "SHIPWAY_RELEASE": unit.release,
        "SHIPWAY_VERSION": unit.version,
    }
    parts: list[str | SecretRef] = [f"{name}={shlex.quote(value)}\n" for name, value in ours.items()]
    return (*parts, *assignments(unit.env))


def assignments(env: tuple[tuple[str, Text], ...]) -> Text:
    """Return variables as shell assignments; raises ValueError for what no environment can hold."""
    parts: list[str | SecretRef] = []
    for name, value in env:
        if not _NAME.match(name):
            raise ValueError(f"`{name}` cannot be the name of an environment variable")
        parts += [f"{name}=", *_words(name, value), "\n"]
    return tuple(parts)


def _words(name: str, value: Text) -> list[str | SecretRef]:
    words: list[str | SecretRef] = []
    for part in value:
        if isinstance(part, SecretRef):
            words.append(SecretRef(part.name, "shell"))
        elif "\0" in part:
            raise ValueError(f"the value of `{name}` holds a NUL")
        else:
            words.append(_clear(part))
    return words


def _clear(text: str) -> str:
    parts, at = [], 0
    for match in EXPANSION.finditer(text):
        if match.start() > at:
            parts.append(shlex.quote(text[at : match.start()]))
        parts.append(f'"{match[0]}"')
        at = match.end()
    return "".join([*parts, shlex.quote(text[at:])]) if at < len(text) or not parts else "".join(parts)
