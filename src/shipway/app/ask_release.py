"""Asking a release on a host about itself (the probe), and reading what releases recorded (their manifests)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shipway.app.migrations import MAX_MANIFEST_BYTES, refuse_broken
from shipway.core.errors import ConfigError, Refused
from shipway.core.facts import Facts
from shipway.core.layout import Layout
from shipway.core.ports import Request, Transport
from shipway.core.record import Record
from shipway.core.unit import Unit
from shipway.django.answer import parse_answer
from shipway.django.manifest import Manifest, read_manifest
from shipway.django.probe_source import ProbeOptions, build_probe
from shipway.django.report import DatabaseReport, Report
from shipway.engine.reading import read_file
from shipway.migrations.plan import Base
from shipway.planning.site import Site

ALIAS = "default"
"""The database that Shipway migrates, as `manage.py migrate` does: others have their own masters."""
FOR_A_RELEASE = ("settings", "apps", "databases", "tasks", "queued", "packages")
TRACK = "probe"
"""A shell of its own, beside the steps of a run."""
_MARGIN_S = 15.0


async def ask_release(
    site: Site, transport: Transport, unit: Unit, asked: ProbeOptions | None = None, *, track: str = TRACK
) -> Report:
    """Return what the release of `unit` answers to what is `asked`, in its own environment. Changes nothing.

    Raises Refused `probe.…` or `migrations.unreadable`, `project.…`, Unreachable, ConnectionLost.
    """
    token = secrets.token_hex(16)
    options = replace(asked or ProbeOptions(want=FOR_A_RELEASE), manage=site.manage, packed=True)
    command = site.target(unit.host).runtime.one_off(unit, ("python", "-"))
    command = replace(command, stdin=(build_probe(token, options),), limit_s=options.limit_s + _MARGIN_S)
    (result,) = await transport.exchange(unit.host, [Request(command, "never")], track=track)
    try:
        report = parse_answer(result.stdout, token, said=result.said if not result.ok else "")
    except ConfigError as error:  # it was the release that was asked, and no Python of this machine
        raise _refused(error, unit) from error
    except Refused as error:
        error.where = error.where or f"{unit.role} on {unit.host}"
        raise
    if fault := report.faults.get("databases"):
        raise Refused(
            "migrations.unreadable",
            f"the migrations of {unit.release} could not be read",
            where=f"{fault.file}:{fault.line}" if fault.file else unit.host,
            said="\n".join(fault.lines),
        )
    return report


def _refused(error: ConfigError, unit: Unit) -> Refused:
    what, help_line = error.what, error.next
    if error.code == "project.django":
        what = f"there is no Django in {unit.release}"
        help_line = "add Django to the packages that a release gets: its Dockerfile, or its requirements"
    elif help_line.startswith("export"):
        help_line = "add it to `env:` in config/deploy.yml"
    where = f"{unit.role} on {unit.host}"
    return Refused(error.code, what, where=error.where or where, said=error.said, next=help_line)


def database_of(report: Report, release: str) -> DatabaseReport | None:
    """Return the database that is migrated, None for a project without one.

    Raises Refused for a graph that Django would not migrate, and `migrations.no_answer` for a database that is silent.
    An SQLite file that is not there yet is an empty database.
    """
    found = report.databases.get(ALIAS)
    if found is None or (not found.database.walk and not found.problems):
        return None
    refuse_broken(found)
    if found.fault is None:
        return found
    if found.fault.type == "FileNotFoundError":
        return replace(found, database=replace(found.database, applied=frozenset(), live={}, error=""))
    raise Refused(
        "migrations.no_answer",
        f"the database does not answer {release}, so nobody can tell what its migrations would do",
        where=f"database {ALIAS}",
        said="\n".join(found.fault.lines),
        next="`shipway deploy` again when it answers",
    )


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a release recorded about itself; `unknown` says why that is not known."""

    release: str
    manifest: Manifest | None = None
    unknown: str = ""

    @property
    def base(self) -> Base | None:
        """What its code needs of the database that is migrated."""
        found = self.manifest.databases.get(ALIAS) if self.manifest else None
        return Base(self.release, found.keys, found.footprint) if found else None

    def needs_what(self, other: Recorded, *, tasks: bool) -> bool:
        """Return whether both are known, and need the same of databases and (with `tasks`) of what is in the queues."""
        mine, theirs = self.manifest, other.manifest
        if mine is None or theirs is None or mine.databases.keys() != theirs.databases.keys():
            return False
        is_same = (self.django, mine.tasks) == (other.django, theirs.tasks) and bool(mine.tasks or not tasks)
        pairs = ((one, theirs.databases[alias]) for alias, one in mine.databases.items())
        return is_same and all(
            (one.vendor, one.keys, one.footprint) == (its.vendor, its.keys, its.footprint) for one, its in pairs
        )

    @property
    def django(self) -> tuple[int, int]:
        """The version of Django, (0, 0) when it is not known."""
        parts = (self.manifest.django if self.manifest else "").split(".")
        numbers = [int(part) for part in parts[:2] if part.isdigit()]
        return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)  # noqa: PLR2004  major and minor


@dataclass(frozen=True, slots=True)
class Manifests:
    """What releases recorded about themselves, in their directories on one host.

    `hashes` has what the ledger noted of them, by release.
    """

    transport: Transport
    host: str
    layout: Layout
    hashes: Mapping[str, str]

    @classmethod
    def of(cls, site: Site, transport: Transport, facts: Facts) -> Manifests:
        """Return those of the primary host."""
        return cls(transport, site.primary, site.targets[0].layout, _hashes(facts.primary.records))

    async def read(self, release: str) -> Recorded:
        """Return what a release recorded, unless it is missing or was changed since."""
        path = self.layout.manifest(release)
        text, said = await read_file(self.transport, self.host, path, MAX_MANIFEST_BYTES, track=TRACK)
        if said:
            return Recorded(release, unknown=f"{release} recorded nothing about itself on {self.host}")
        try:
            manifest = read_manifest(text, where=f"{self.host}:{path}")
        except Refused as error:
            why = f"what {release} recorded about itself is not to be trusted ({error.code})"
            return Recorded(release, unknown=why)
        if manifest.origin.release != release or self.hashes.get(release, manifest.hash) != manifest.hash:
            return Recorded(release, unknown=f"what {release} recorded about itself is not what the ledger noted")
        return Recorded(release, manifest)


def _hashes(records: tuple[Record, ...]) -> dict[str, str]:
    """Return the hashes of manifests that a ledger has, by release."""
    releases = {r.run: str(r.detail.get("release", "")) for r in records if r.kind == "run.begin"}
    return {
        releases[r.run]: str(r.detail["manifest"])
        for r in records
        if r.kind == "run.extended" and r.run in releases and r.detail.get("manifest")
    }
