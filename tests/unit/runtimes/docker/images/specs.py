"""Builds for tests: the `builder` section as a user writes it, and what it comes to."""

from typing import Any

from shipway.config.builder import BuildCache, Builder, Pack
from shipway.config.registry import Inline, Registry
from shipway.core.secret import SecretRef
from shipway.runtimes.docker.images.spec import BuildSpec, Source
from shipway.runtimes.docker.images.tools import BuildTools

COMMIT = "4b43b9d9bcf85885ad86551b28e0a9c25516b3aa"
BUILDX = BuildTools("28.2.2", "28.2.2", "0.24.0")
BUILDKIT = BuildTools("20.10.24+dfsg1", "20.10.24+dfsg1")
CLASSIC = BuildTools("28.2.2", "20.10.24")
HUB = Registry(username=Inline("user", "registry/username"), password=SecretRef("PASSWORD"))
LOCAL = Registry(server="localhost:5000")


def builder(**values: Any) -> Builder:
    if isinstance(values.get("cache"), dict):
        values["cache"] = BuildCache(**values["cache"])
    if isinstance(values.get("pack"), dict):
        values["pack"] = Pack(**values["pack"])
    return Builder(**{"arch": "amd64", **values})


def spec(section: Builder | None = None, registry: Registry = HUB, **values: Any) -> BuildSpec:
    server = f"{registry.server}/" if registry.server else ""
    defaults: dict[str, Any] = {
        "service": "app",
        "destination": "",
        "repository": f"{server}dhh/app",
        "version": "999",
        "builder": section or builder(),
        "registry": registry,
        "source": Source("/clones/app", "/home/ann/app", "/clones/app", COMMIT),
        "machine": "amd64",
        "is_delivered": registry.is_local or registry.is_none,
    }
    return BuildSpec(**{**defaults, **values})
