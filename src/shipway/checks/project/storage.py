"""Checks of what must outlive a release, and of static files and logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from shipway.checks.project.subject import Subject
from shipway.checks.table import found
from shipway.config.model import Role
from shipway.core.errors import Finding

_SQLITE = ("sqlite3", "spatialite")
_MEMORY = ":memory:"
_FILE_HANDLERS = ("FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler")
_NO_FILES = ("/dev/", "/proc/")


def check_sqlite(subject: Subject) -> Iterator[Finding]:
    """Find an SQLite file that ends with its release."""
    setting = subject.project.setting("DATABASES")
    engines = [one for one in setting.under("default", "ENGINE") if isinstance(one, str)]
    if not engines or not setting.is_whole or not all(engine.endswith(_SQLITE) for engine in engines):
        return
    paths = [one for one in setting.under("default", "NAME") if isinstance(one, str) and one]
    if not paths or any(_MEMORY in path for path in paths):
        paths = []
    if paths and all(_is_kept(subject, path) for path in paths):
        return
    kept = [mount for role in subject.roles for mount in _mounts(subject, role)]
    if not paths and (kept if subject.is_container else subject.config.shared):
        return  # where the file stands is not known: it may well be there
    path = f"the SQLite file {paths[0]}" if paths else "an SQLite file"
    where = "inside the container" if subject.is_container else "inside the release"
    yield found("project.sqlite", f"the database is {path} {where}", setting.where, _mend(subject, paths))


def _mend(subject: Subject, paths: list[str]) -> str:
    if subject.is_container:
        return f"`volumes: [{subject.config.service}-data:/data]`, and let the settings put the file into /data"
    if paths and not paths[0].startswith("/"):
        return f"`shared: [{paths[0]}]` in the configuration"
    return "`shared: [var]` in the configuration, and let the settings put the file into it"


def check_media(subject: Subject) -> Iterator[Finding]:
    """Find uploads that end with their release."""
    root = subject.project.setting("MEDIA_ROOT")
    storage = subject.project.fact("media_storage").text
    if not root.is_whole or not any(root.texts) or not storage.endswith("FileSystemStorage"):
        return
    path = next(text for text in root.texts if text)
    if _is_kept(subject, path) or (not subject.is_container and subject.config.django.media.root):
        return
    where = "inside the container" if subject.is_container else "inside the release"
    yield found("project.media", f"uploaded files go to {path} {where}", root.where)


def _is_kept(subject: Subject, path: str) -> bool:
    """Tell whether a path outlives a release for every role of the application."""
    if not subject.is_container:
        shared = (PurePosixPath(one) for one in subject.config.shared)
        return path.startswith("/") or any(PurePosixPath(path).is_relative_to(one) for one in shared)
    if not path.startswith("/"):
        if not subject.project.workdir:
            return any(_mounts(subject, role) for role in subject.roles)
        path = f"{subject.project.workdir.rstrip('/')}/{path}"
    place = PurePosixPath(path)
    return all(any(place.is_relative_to(mount) for mount in _mounts(subject, role)) for role in subject.roles)


def _mounts(subject: Subject, role: Role) -> list[str]:
    """Return the directories of the container of `role` that are volumes."""
    words = list(subject.config.volumes)
    for name in ("volume", "v", "mount"):
        value = role.options.get(name)
        words += [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)] if value else []
    return [target for target in map(_target, words) if target.startswith("/")]


def _target(word: str) -> str:
    if "=" in word and ":" not in word:
        pairs = dict(part.partition("=")[::2] for part in word.split(","))
        return pairs.get("target") or pairs.get("destination") or pairs.get("dst") or ""
    parts = word.split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def check_static(subject: Subject) -> Iterator[Finding]:
    """Find a way of serving static files that cannot work."""
    project, django = subject.project, subject.config.django
    if not any("staticfiles" in app for app in project.setting("INSTALLED_APPS").texts):
        return
    strategy, backend = project.fact("static"), project.fact("static_storage")
    if strategy.text == "object-storage":
        return
    root = project.setting("STATIC_ROOT")
    collects = (
        project.collects if subject.is_container else bool(django.static.root) and django.static.collect != "never"
    )
    if root.is_whole and not any(root.texts) and (collects or strategy.text == "whitenoise"):
        yield found("project.static_root", "static files are collected, and STATIC_ROOT is not set", root.where)
    elif "Manifest" in backend.text and backend.is_sure and not collects:
        what = f"{backend.text.rpartition('.')[2]} needs what collectstatic writes, and nothing runs it"
        yield found("project.static_manifest", what, backend.where)
    whitenoise = project.fact("whitenoise")
    is_served_by_proxy = not subject.is_container and bool(django.static.root)
    if whitenoise.value is False and whitenoise.is_sure and not is_served_by_proxy and not django.static.url:
        what = "nobody serves static files: there is no WhiteNoise, and "
        what += "the proxy does not see into containers" if subject.is_container else "`django/static/root` is not set"
        yield found("project.static_unserved", what, whitenoise.where)


def check_logging(subject: Subject) -> Iterator[Finding]:
    """Find handlers that write files inside a container."""
    if not subject.is_container:
        return
    setting = subject.project.setting("LOGGING")
    for handler in setting.under("handlers", "*"):
        if not isinstance(handler, dict) or not str(handler.get("class", "")).endswith(_FILE_HANDLERS):
            continue
        name = str(handler.get("filename") or "a file")
        if not name.startswith(_NO_FILES) and not _is_kept(subject, name):
            yield found("project.log_file", f"logs are written to {name} inside the container", setting.where)
            return
