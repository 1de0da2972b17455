"""Keys that are read and checked, and that nothing uses yet: said, so that nobody relies on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipway.config.report import Report, shown
from shipway.config.root import Runtime
from shipway.config.tree import MapNode, Path, node_at

_ALWAYS = (
    *("output", "sshkit", "ssh/log_level"),
    *("proxy/buffering/max_response_body", "venv/extras", "venv/groups"),
    *("proxy/run/repository", "proxy/run/version"),  # of kamal-proxy
)
_OF_CONTAINERS = (
    *("image", "registry", "builder", "labels", "volumes", "asset_path", "logging", "readiness_delay"),
    "proxy/app_port",
    *(f"proxy/run/{name}" for name in ("image", "registry", "log_max_size", "publish", "options")),
    *(f"servers/<role>/{name}" for name in ("options", "labels", "logging", "asset_path")),
)
WITHOUT_EFFECT: Mapping[Runtime, tuple[str, ...]] = {
    "venv": (*_ALWAYS, *_OF_CONTAINERS),
    "docker": (*_ALWAYS, "shared", "venv/lock", "venv/python", "venv/keeper"),
}


def check_unused(report: Report, runtime: Runtime) -> None:
    """Warn, once for all of them, about keys that are written and have no effect with `runtime`."""
    found = [path for key in WITHOUT_EFFECT[runtime] for path in _paths(report.root, key) if node_at(report.root, path)]
    if found:
        names = ", ".join(f"`{shown(path)}`" for path in found)
        report.warn("ignored", found[0], f"without effect in this version: {names}", next="nothing, or remove them")


def _paths(root: MapNode, key: str) -> Iterator[Path]:
    """Yield the paths that `key` means: `<role>` stands for every role that is written as a map."""
    steps = key.split("/")
    if "<role>" not in steps:
        yield tuple(steps)
        return
    servers = node_at(root, ("servers",))
    for role in servers.entries if isinstance(servers, MapNode) else ():
        yield tuple(role if step == "<role>" else step for step in steps)
