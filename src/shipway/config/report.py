"""Where the mistakes of a configuration are collected, so that all of them are told at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shipway.config.tree import MapNode, Mark, Path, locate
from shipway.core.errors import ConfigError, Finding, Level

Slug = Literal[
    "syntax", "erb", "duplicate_key", "unknown_key", "type", "value", "required", "conflict", "ignored", "open_port"
]


def shown(path: Path) -> str:
    """Return `path` as Kamal writes it: `servers/web/hosts/0`."""
    return "/".join(str(step) for step in path)


@dataclass(slots=True)
class Report:
    """The findings about one configuration. `root` is the merged tree, from which each finding gets its place."""

    root: MapNode
    findings: list[Finding] = field(default_factory=list)

    def add(self, slug: Slug, path: Path, message: str, *, next: str = "", mark: Mark | None = None) -> None:
        """Add the error `message` about `path`; its text begins with the path, as Kamal's does."""
        self._add(finding(slug, mark or locate(self.root, path), path, _about(path, message), next_=next))

    def state(self, slug: Slug, path: Path, message: str, *, next: str = "") -> None:
        """Add the error `message`, which names its subject itself."""
        self._add(finding(slug, locate(self.root, path), path, message, next_=next))

    def warn(self, slug: Slug, path: Path, message: str, *, next: str = "") -> None:
        """Add something that is worth telling and no error."""
        mark = locate(self.root, path)
        self._add(finding(slug, mark, path, _about(path, message), next_=next, level="warning"))

    def _add(self, found: Finding) -> None:
        if found not in self.findings:
            self.findings.append(found)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid to go on."""
        return tuple(found for found in self.findings if found.level == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that do not."""
        return tuple(found for found in self.findings if found.level == "warning")


def _about(path: Path, message: str) -> str:
    return f"{shown(path)}: {message}" if path else message


def finding(  # noqa: PLR0913  the parts of a finding
    slug: Slug, mark: Mark, path: Path, what: str, *, next_: str = "", level: Level = "error"
) -> Finding:
    """Return a finding about `path`, which stands at `mark`."""
    where = f"{mark.file}:{mark.line}" + (f" {shown(path)}" if path else "")
    return Finding(f"config.{slug}", what, where=where, next=next_, level=level)


def invalid(findings: tuple[Finding, ...]) -> ConfigError:
    """Return the one error that carries all `findings`, which are at least one."""
    first = findings[0]
    if len(findings) == 1:
        return ConfigError("config.invalid", first.what, where=first.where, next=first.next, findings=findings)
    what = f"the configuration has {len(findings)} mistakes"
    return ConfigError("config.invalid", what, where=first.where, next=first.next, findings=findings)
