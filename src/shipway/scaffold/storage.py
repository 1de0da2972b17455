"""What must outlive a container: uploads, and a database that is a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipway.core.errors import Finding
from shipway.scaffold.subject import Subject
from shipway.scaffold.variables import database_part

_LOCAL_FILES = "FileSystemStorage"
_DATA = "/data"
_PATH = re.compile(r"[\w./@+-]+")


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of Docker: its name, and the directory of the container that it holds."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Storage:
    """Volumes, the values of variables that point into them, and what is to be known about it."""

    volumes: tuple[Volume, ...]
    values: dict[str, str]
    findings: tuple[Finding, ...]


def find_storage(subject: Subject) -> Storage:
    """Return what a project keeps in files, for the docker runtime; the venv runtime has paths for that."""
    if subject.wishes.runtime == "venv":
        return Storage((), {}, ())
    volumes: list[Volume] = []
    values: dict[str, str] = {}
    findings: list[Finding] = []
    if subject.text("database") in ("sqlite3", "spatialite"):
        volumes.append(Volume(f"{subject.service}-data", _DATA))
        url = next((one.name for one in subject.variables if database_part(one.name) == "url"), "")
        if url:
            values[url] = f"sqlite:///{_DATA}/db.sqlite3"
        elif not _is_in_data(subject):
            findings.append(_sqlite(subject))
    media = media_path(subject)
    if media:
        volumes.append(Volume(f"{subject.service}-media", media))
        what = "uploads are kept in a volume of the server, and nothing serves them: the proxy does not see it"
        place = next((str(one) for one in subject.fact("media_root").evidence), "")
        findings.append(Finding("init.media_not_served", what, place, "an object store by django-storages?", "warning"))
    return Storage(tuple(volumes), values, tuple(findings))


def _is_in_data(subject: Subject) -> bool:
    places = {one.file for one in subject.fact("database").evidence}
    return any(re.search(rf"[\"']{_DATA}/", subject.sources.text(path)) for path in places)


def _sqlite(subject: Subject) -> Finding:
    place = next((str(one) for one in subject.fact("database").evidence), "")
    what = "the database is an SQLite file whose place no variable gives: in a container it ends with its release"
    return Finding("init.sqlite", what, place, "let the settings put it into /data, which is a volume", "warning")


def media_path(subject: Subject) -> str:
    """Return the directory of uploads in the container; "" where they go elsewhere or nothing is known."""
    media = subject.text("media_root")
    if not _PATH.fullmatch(media) or ".." in media or not subject.text("media_storage").endswith(_LOCAL_FILES):
        return ""
    return media if media.startswith("/") else f"/app/{subject.inside(media)}"
