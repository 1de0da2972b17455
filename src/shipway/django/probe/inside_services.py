"""Tries what a project keeps things in besides databases: caches, the mail server, the storage of files."""

from __future__ import annotations

import os
import re
from typing import Any

FILE = re.compile(r"shipway-verify-[0-9a-f]{16,64}[\w-]*\.txt")
SECONDS = 60


def try_caches(options: dict[str, Any], tried: Any) -> list[dict[str, Any]]:
    """Return what each cache does with a key: set, got back, deleted."""
    from django.conf import settings

    wanted = options["caches"] or list(settings.CACHES)
    return [tried(alias, lambda a=alias: try_cache(a, options["mark"])) for alias in wanted]


def try_cache(alias: str, mark: str) -> dict[str, Any]:
    """Return the back end of a cache, and whether it gave back what it got."""
    from django.core.cache import caches

    cache, key, value = caches[alias], f"shipway-verify-{mark}", os.urandom(8).hex()
    kind = type(cache).__name__
    if kind == "DummyCache":
        return {"backend": kind, "skipped": "keeps nothing, by design"}
    cache.set(key, value, SECONDS)
    back = cache.get(key)
    cache.delete(key)
    # Some clients swallow errors: a cache that is down answers None then, as for a key that is not there.
    return {"backend": kind, "is_same": back == value, "is_gone": cache.get(key) is None}


def try_mail(seconds: float, tried: Any) -> list[dict[str, Any]]:
    """Return whether the mail server lets us in. Nothing is sent; only SMTP has such a connection."""
    from django.conf import settings
    from django.core import mail
    from django.core.mail.backends import smtp

    names = ("EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER")
    if not any(settings.is_overridden(name) for name in names):
        return [{"name": "default", "skipped": "no e-mail is configured"}]

    def look() -> dict[str, Any]:
        backend = mail.get_connection(fail_silently=False)
        kind = f"{type(backend).__module__}.{type(backend).__qualname__}"
        if not isinstance(backend, smtp.EmailBackend):
            return {"backend": kind, "skipped": "has no connection that could be opened"}
        backend.timeout = min(backend.timeout or seconds, seconds)
        backend.open()
        backend.close()
        return {"backend": kind, "server": f"{backend.host}:{backend.port}"}

    return [tried("default", look)]


def try_storage(mark: str, tried: Any) -> list[dict[str, Any]]:
    """Return what the default storage does with a file: saved, read, deleted."""
    if not is_storage_meant():
        return [{"name": "default", "skipped": "no MEDIA_ROOT is set"}]
    return [tried("default", lambda: try_file(mark))]


def is_storage_meant() -> bool:
    """Whether files are kept at all: by default Django's storage would write beside the project's code."""
    from django.conf import settings
    from django.core.files.storage import FileSystemStorage, default_storage

    default_storage.exists("shipway-verify")
    storage = getattr(default_storage, "_wrapped", default_storage)
    if not isinstance(storage, FileSystemStorage):
        return True
    return bool(settings.MEDIA_ROOT) or getattr(storage, "_location", None) is not None


def try_file(mark: str) -> dict[str, Any]:
    """Return what became of a file. It is deleted whatever happens."""
    from django.core.files.storage import default_storage

    facts = about_storage()
    saved = save_file(mark)
    try:
        with default_storage.open(saved) as file:
            back = file.read()
        facts["is_same"] = (back if isinstance(back, bytes) else back.encode()) == mark.encode()
    finally:
        default_storage.delete(saved)
    facts["is_gone"] = not default_storage.exists(saved)
    return facts


def save_file(mark: str) -> str:
    """Save a file with the text `mark`, and return its name in the storage."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    return str(default_storage.save(f"shipway-verify-{mark}.txt", ContentFile(mark.encode())))


def about_storage() -> dict[str, Any]:
    """Return the class of the default storage, where it keeps files, and whether that goes with the container."""
    from django.core.files.storage import FileSystemStorage, default_storage

    default_storage.exists("shipway-verify")
    storage = getattr(default_storage, "_wrapped", default_storage)
    facts: dict[str, Any] = {"backend": f"{type(storage).__module__}.{type(storage).__qualname__}"}
    facts["fields"] = file_fields(storage)
    if isinstance(storage, FileSystemStorage):
        facts["location"] = str(storage.location)
        facts["is_lost"] = is_of_container(str(storage.location))
    return facts


def is_of_container(path: str) -> bool:
    """Whether `path` stands in the own layer of a container, and not in a volume: it goes with the container."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            mounts = [line.split() for line in file]
    except OSError:
        return False
    found = os.path.realpath(path)
    # proc(5): the mount point is the fifth word, the type stands after a lone dash. The longest point holds the path.
    holding = [one for one in mounts if (found + "/").startswith(one[4].rstrip("/") + "/")]
    if not holding:
        return False
    nearest = max(holding, key=lambda one: len(one[4]))
    return nearest[4] == "/" and nearest[nearest.index("-") + 1] in ("overlay", "aufs", "fuse-overlayfs")


def file_fields(storage: Any) -> list[str]:
    """Return the fields of the project's models whose files this storage keeps."""
    from django.apps import apps
    from django.core.files.storage import default_storage
    from django.db.models import FileField

    fields = [(m, f) for m in apps.get_models() for f in m._meta.get_fields() if isinstance(f, FileField)]
    return [f"{m.__name__}.{f.name}" for m, f in fields if f.storage is storage or f.storage is default_storage][:20]


def keep_file(mark: str, tried: Any) -> list[dict[str, Any]]:
    """Save a file that stays for now, and return its name and public URL."""
    from django.core.files.storage import default_storage

    def look() -> dict[str, Any]:
        facts = about_storage()
        saved = save_file(mark)
        try:
            return {**facts, "file": saved, "url": str(default_storage.url(saved))}
        except BaseException:
            default_storage.delete(saved)
            raise

    if not is_storage_meant():
        return [{"name": "default", "skipped": "no MEDIA_ROOT is set"}]
    return [tried("default", look)]


def remove_file(name: str, tried: Any) -> list[dict[str, Any]]:
    """Delete a file of `keep_file`, and nothing else."""
    from django.core.files.storage import default_storage

    def look() -> dict[str, Any]:
        if not FILE.fullmatch(name.rpartition("/")[2]) or ".." in name.split("/"):
            raise ValueError("this is no file of a verification")
        default_storage.delete(name)
        return {"is_gone": not default_storage.exists(name)}

    return [tried("default", look)]
