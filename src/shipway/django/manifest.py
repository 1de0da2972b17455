"""The manifest of a release: what it said about itself, without anything secret, to be kept and compared later.

Left out: what changes from hour to hour (sizes, what is applied, the live schema), the text of SQL, error texts, and
every setting that is not in a list of harmless ones (the probe sends no other).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shipway.core.errors import Refused
from shipway.core.migration import Key, Migration
from shipway.core.schema import Schema
from shipway.django.report import App, DatabaseReport, Json, Report
from shipway.django.schema_codec import parse_migration, parse_schema, render_migration, render_table
from shipway.django.strict import Malformed, Node, as_pair

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """Which release a manifest is of: its name, the commit, a hash of what was built, and when (UTC, ISO 8601)."""

    release: str
    version: str = ""
    artefact: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class ManifestDatabase:
    """What a release names on one database, and its migrations with what they do there."""

    vendor: str
    version: str
    char_bytes: int
    keys: frozenset[Key]
    walk: tuple[Migration, ...]
    footprint: Schema


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is kept of a release. `environment` has the names of variables by role; None: it was not recorded."""

    origin: Origin
    python: str
    django: str
    databases: dict[str, ManifestDatabase]
    tasks: dict[str, Json]
    hash: str = ""
    settings_module: str = ""
    settings: dict[str, Json] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    environment: dict[str, tuple[str, ...]] | None = None


def build_manifest(
    report: Report, origin: Origin, environment: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Json]:
    """Return the manifest of a release as a document, its hash included. `environment`: names of variables by role."""
    body: dict[str, Json] = {
        "format": FORMAT,
        "release": origin.release,
        "version": origin.version,
        "artefact": origin.artefact,
        "created": origin.created,
        "python": report.python,
        "django": report.django,
        "settings_module": report.settings_module,
        "settings": dict(report.settings),
        "apps": [_app(app) for app in report.apps],
        "packages": dict(report.packages),
        "tasks": dict(report.tasks),
        "databases": {alias: _database(one) for alias, one in report.databases.items()},
    }
    if environment is not None:
        body["environment"] = {role: [*sorted(names)] for role, names in environment.items()}
    return body | {"hash": manifest_hash(body)}


def _app(app: App) -> dict[str, Json]:
    return {"label": app.label, "module": app.module, "package": app.package}


def _database(report: DatabaseReport) -> dict[str, Json]:
    database = report.database
    return {
        "vendor": database.vendor,
        "version": database.version,
        "char_bytes": database.char_bytes,
        "disk": [list(key) for key in sorted(report.disk)],
        "leaves": [list(key) for key in report.leaves],
        "walk": [render_migration(migration) for migration in database.walk],
        "footprint": {name: render_table(table) for name, table in database.footprint.items()},
    }


def manifest_hash(body: dict[str, Json]) -> str:
    """Return the hash of a manifest, its own entry `hash` left out."""
    rest = {key: value for key, value in body.items() if key != "hash"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_manifest(text: str, *, where: str) -> Manifest:
    """Return the manifest that `text` is. `where` is named in errors.

    Raises Refused `manifest.malformed`, `manifest.edited` when its hash does not fit, `manifest.format` for one that a
    later Shipway wrote.
    """
    try:
        body = json.loads(text)
        node = Node(body, "manifest")
        found = _read(node)
    except (Malformed, ValueError, RecursionError) as error:
        raise Refused(
            "manifest.malformed", "the manifest of a release makes no sense", where=where, said=str(error)
        ) from error
    if node.number("format") != FORMAT:
        raise Refused("manifest.format", "the manifest of a release was written by another Shipway", where=where)
    if node.text("hash") != manifest_hash(body):
        raise Refused("manifest.edited", "the manifest of a release was changed after it was written", where=where)
    return found


def _read(node: Node) -> Manifest:
    origin = Origin(node.text("release"), node.text("version"), node.text("artefact"), node.text("created"))
    databases = {
        alias: _read_database(Node(value, f"manifest.databases.{alias}")) for alias, value in node.items("databases")
    }
    tasks = dict(node.node("tasks").entries())
    return Manifest(
        origin,
        node.text("python"),
        node.text("django"),
        databases,
        tasks,
        node.text("hash"),
        node.text("settings_module"),
        dict(node.node("settings").entries()),
        node.mapping("packages"),
        _environment(node),
    )


def _environment(node: Node) -> dict[str, tuple[str, ...]] | None:
    if "environment" not in node:
        return None
    place = node.node("environment")
    return {role: place.texts(role) for role, _ in place.entries()}


def _read_database(node: Node) -> ManifestDatabase:
    return ManifestDatabase(
        vendor=node.text("vendor"),
        version=node.text("version"),
        char_bytes=node.number("char_bytes", 4),
        keys=frozenset(node.each("disk", as_pair)),
        walk=node.each("walk", parse_migration),
        footprint=parse_schema(node, "footprint"),
    )
