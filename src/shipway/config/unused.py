"""Keys that are read and checked, and that nothing uses yet: said, so that nobody relies on them."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.config.report import Report, shown
from shipway.config.tree import MapNode, Path, node_at

WITHOUT_EFFECT = (
    *("image", "registry", "builder", "accessories", "labels", "volumes", "asset_path", "logging", "output"),
    *("readiness_delay", "boot/wait", "boot/parallel_roles", "sshkit", "ssh/log_level"),
    *("venv/extras", "venv/groups", "proxy/app_port", "proxy/buffering/max_response_body"),
    *(f"proxy/run/{name}" for name in ("metrics_port", "debug", "log_max_size", "publish", "options")),
    *(f"proxy/run/{name}" for name in ("registry", "repository", "version")),
    *(f"servers/<role>/{name}" for name in ("options", "labels", "logging", "asset_path")),
)
"""Without effect with `runtime: venv`, the one runtime that there is."""


def check_unused(report: Report) -> None:
    """Warn, once for all of them, about keys that are written and have no effect."""
    found = [path for key in WITHOUT_EFFECT for path in _paths(report.root, key) if node_at(report.root, path)]
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
