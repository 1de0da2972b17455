"""Which tools build images here, and what they can do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shipway.core.ports import Result

Way = Literal["buildx", "buildkit", "classic"]
"""`docker buildx build`; `docker build` whose client speaks to BuildKit by itself; the builder before BuildKit."""

PROBES: Mapping[str, tuple[str, ...]] = {
    "version": ("docker", "version", "--format", "{{json .}}"),
    "buildx": ("docker", "buildx", "version"),
}
"""What is asked, by name. Both need no network but the way to the engine."""

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")
_BUILDX = re.compile(r"github\.com/docker/buildx\s+v?(\S{1,60})")
_LAST_OWN_BUILDKIT = 23  # from this version on the client needs the buildx plugin for BuildKit (its release notes)
_FIRST_BUILDKIT = (18, 9)  # of the engine


@dataclass(frozen=True, slots=True)
class BuildTools:
    """What was found. Versions are "" where there is none; `said` is why the engine did not answer."""

    client: str = ""
    server: str = ""
    buildx: str = ""
    said: str = ""
    os: str = ""

    @property
    def way(self) -> Way:
        """How an image is built with these tools."""
        if self.buildx:
            return "buildx"
        client, server = _number(self.client), _number(self.server)
        if (0, 0) < client < (_LAST_OWN_BUILDKIT, 0) and client >= _FIRST_BUILDKIT and server >= _FIRST_BUILDKIT:
            return "buildkit"
        return "classic"

    @property
    def sentence(self) -> str:
        """Which builder is used, for a person."""
        match self.way:
            case "buildx":
                return f"builds with buildx {self.buildx}, Docker {self.server}"
            case "buildkit":
                return f"builds with BuildKit of Docker {self.server} (buildx is not installed)"
            case _:
                return f"builds with the classic builder of Docker {self.server} (buildx is not installed)"


def read_tools(answers: Mapping[str, Result]) -> BuildTools:
    """Return what the answers to `PROBES` tell. What is missing or malformed is read as "not there"."""
    version = answers.get("version", Result(127))
    found = _json(version.text)
    client, server = found.get("Client"), found.get("Server")
    buildx = answers.get("buildx", Result(127))
    plugin = _BUILDX.search(buildx.text) if buildx.ok else None
    return BuildTools(
        client=_text(client, "Version"),
        server=_text(server, "Version"),
        buildx=plugin[1].removeprefix("v") if plugin else "",
        said=version.said if not version.ok else "",
        os=_text(server, "Os"),
    )


def _json(text: str) -> dict[str, Any]:
    # The client prints its own part and then the error, where the engine is away.
    try:
        found = json.loads(text.strip().split("\n", 1)[0][:65536] or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(part: object, name: str) -> str:
    value = part.get(name) if isinstance(part, dict) else None
    return value[:80] if isinstance(value, str) else ""


def _number(version: str) -> tuple[int, int]:
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
