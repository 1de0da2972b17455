"""Static files and uploads of a release: what its pages ask for and the manifest lacks, and where uploads would go."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

STATIC_TAG = re.compile(r"\{%-?\s*static\s+(?:'([^'{}%]+)'|\"([^\"{}%]+)\")")
MAX_TEMPLATES = 20_000
MAX_TEMPLATE_BYTES = 2_000_000
MAX_NAMED = 20
FOREIGN = ("site-packages", "dist-packages")


def files_facts(looks: dict[str, Any]) -> dict[str, Any]:
    """Return what `looks` asks for: `static`, and `media` with `container` (we run in one) and `write`."""
    facts: dict[str, Any] = {}
    if looks.get("static"):
        facts["static"] = static_facts()
    if looks.get("media"):
        facts["media"] = media_facts(bool(looks.get("container")), str(looks.get("write") or ""))
    return facts


def static_facts() -> dict[str, Any]:
    """Return whether the static files that the project's own templates name are in the manifest.

    `kind` is the class of the storage. Only a storage with a manifest can lack a name so that a page fails; with DEBUG
    none is asked. `manifest` says what is wrong with it as a whole, "" for nothing.
    """
    from django.apps import apps
    from django.conf import settings

    facts: dict[str, Any] = {"kind": "", "manifest": "", "names": 0, "missing": []}
    if settings.DEBUG or not apps.is_installed("django.contrib.staticfiles"):
        return facts
    from django.contrib.staticfiles.storage import staticfiles_storage

    staticfiles_storage.exists("shipway-probe")  # so that a lazy one is made
    storage = getattr(staticfiles_storage, "_wrapped", staticfiles_storage)
    facts["kind"] = f"{type(storage).__module__}.{type(storage).__qualname__}"
    if not hasattr(storage, "hashed_files") or not getattr(storage, "manifest_strict", True):
        return facts
    named = sorted(set(names_of_templates()))
    facts["names"] = len({name for name, _ in named})
    if not storage.hashed_files:
        if named or apps.is_installed("django.contrib.admin"):
            facts["manifest"] = f"{getattr(storage, 'manifest_name', 'the manifest')} is not there, or empty"
        return facts
    for name, path in named:
        try:
            storage.stored_name(name)
        except ValueError:
            facts["missing"].append([name[:200], path[-200:]])
    facts["missing"] = facts["missing"][:MAX_NAMED]
    return facts


def names_of_templates() -> Iterator[tuple[str, str]]:
    """Yield each name in a `{% static %}` of a template of the project's own, with the template's path."""
    from django.template import engines

    seen = set()
    for engine in engines.all():
        for top in map(os.path.realpath, (*getattr(engine, "dirs", ()), *getattr(engine, "template_dirs", ()))):
            if top in seen or any(f"/{one}/" in f"{top}/" for one in FOREIGN):
                continue
            seen.add(top)
            yield from names_below(top)


def names_below(top: str) -> Iterator[tuple[str, str]]:
    """Yield the names in the templates below a directory."""
    count = 0
    for place, _, files in os.walk(top):
        for file in sorted(files):
            path = os.path.join(place, file)
            count += 1
            if count > MAX_TEMPLATES:
                return
            try:
                with open(path, "rb") as body:
                    text = body.read(MAX_TEMPLATE_BYTES).decode("utf-8", "replace")
            except OSError:
                continue
            for found in STATIC_TAG.finditer(without_comments(text)):
                yield found.group(1) or found.group(2), os.path.relpath(path)


def without_comments(text: str) -> str:
    """Return a template without its comments, which no page renders."""
    text = re.sub(r"\{#.*?#\}", "", text)
    return re.sub(r"\{%-?\s*comment\b.*?%\}.*?\{%-?\s*endcomment\s*-?%\}", "", text, flags=re.DOTALL)


def media_facts(is_container: bool, token: str) -> dict[str, Any]:
    """Return where uploads go, which fields have them, whether that ends with the container, and whether we may write.

    `token` names the file that is written and removed; "" writes none.
    """
    from django.core.files.storage import default_storage

    fields = list(upload_fields())
    facts: dict[str, Any] = {"fields": [name for name, _ in fields][:MAX_NAMED], "lost": [], "unwritable": ""}
    if is_container:
        facts["lost"] = sorted({f"{name}: {path}" for name, path in fields if path and not is_mounted(path)})[
            :MAX_NAMED
        ]
    if fields and token and not facts["lost"]:
        facts["unwritable"] = write_one(default_storage, f"shipway-probe-{token}.txt")
    return facts


def upload_fields() -> Iterator[tuple[str, str]]:
    """Yield each field for files: its name, and the directory that its storage writes to ("" for an external one)."""
    from django.apps import apps
    from django.core.files.storage import FileSystemStorage
    from django.db.models import FileField

    for model in apps.get_models():
        for field in model._meta.get_fields():
            if not isinstance(field, FileField) or model._meta.proxy:
                continue
            field.storage.exists("shipway-probe") if hasattr(field.storage, "_wrapped") else None
            storage = getattr(field.storage, "_wrapped", field.storage)
            path = os.path.realpath(storage.location) if isinstance(storage, FileSystemStorage) else ""
            yield f"{model._meta.label}.{field.name}", path


def is_mounted(path: str, table: str = "/proc/self/mountinfo") -> bool:
    """Return whether a directory stands in something that is mounted into the container and outlives it."""
    place, kind = "/", ""
    try:
        with open(table, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return True  # nobody can tell
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split()[4].replace("\\040", " ")
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) >= len(place):
            place, kind = point, after.split()[0]
    return place != "/" and kind not in ("tmpfs", "overlay", "ramfs")


def write_one(storage: Any, name: str) -> str:
    """Return why a file cannot be written by a storage and removed again, "" when it can."""
    from django.core.files.base import ContentFile
    from django.db import Error

    try:
        kept = storage.save(name, ContentFile(b"written by Shipway to see whether uploads work\n"))
        storage.delete(kept)
    except Error:
        return ""  # a storage in the database: our session there may not write
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:500]
    return ""


def refuse_static(facts: dict[str, Any]) -> str:
    """Return what is wrong with the static files of a release in a line for each, "" for nothing."""
    if facts["manifest"]:
        return f"error[static.no_manifest]: {facts['manifest']}, and {facts['kind']} needs it: collect static files"
    return "\n".join(f"error[static.missing]: {path} asks for `{name}`" for name, path in facts["missing"])
