"""Static files and media: who serves them, where they are collected, which storage they go to; and the cache."""

from __future__ import annotations

import re

from shipway.django.fact import UNKNOWN, Fact, Place
from shipway.django.packages import Packages
from shipway.django.settings import Settings, nested
from shipway.django.tree import line_of

_OBJECT_STORES = ("storages.backends", "s3boto3", "s3.S3", "gcloud", "azure", "cloudinary", "S3Storage", "S3Boto3")
_DEFAULT_STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"
_DEFAULT_FILES = "django.core.files.storage.FileSystemStorage"


def find_whitenoise(settings: Settings) -> Fact:
    """Return the fact `whitenoise`: whether the application serves its own static files with it."""
    used = [one for one in settings.texts("MIDDLEWARE", "MIDDLEWARE_CLASSES") if "whitenoise" in one.lower()]
    used += [one for one in _backends(settings, "staticfiles", "STATICFILES_STORAGE") if "whitenoise" in one]
    if used:
        return Fact(True, "high", (settings.find("(?i)whitenoise") or settings.place("MIDDLEWARE"),))
    for path in settings.layout.python_files:
        text = settings.layout.sources.text(path) if path.endswith(("wsgi.py", "asgi.py")) else ""
        match = re.search(r"^[^#\n]*WhiteNoise\(", text, re.MULTILINE)
        if match and not re.search(r"^except ImportError", text, re.MULTILINE):
            return Fact(True, "high", (Place(path, line_of(text, match.end()), "wraps the application"),))
    middleware = settings.texts("MIDDLEWARE", "MIDDLEWARE_CLASSES")
    sure = bool(middleware) and settings.find("(?i)whitenoise") is None
    hint = settings.find("(?i)whitenoise.middleware|whitenoise.storage")
    if hint is not None and not middleware:
        return Fact(True, "medium", (hint,))
    if not middleware and settings.find("(?i)whitenoise") is not None:
        return UNKNOWN  # it is named, and what becomes of that is beyond reading
    return Fact(False, "high" if sure else "low", (settings.place("MIDDLEWARE"),)) if settings.files else UNKNOWN


def _backends(settings: Settings, key: str, old: str) -> list[str]:
    found = [one for one in nested(settings.value("STORAGES"), key, "BACKEND") if isinstance(one, str)]
    return [*found, *([settings.text(old)] if settings.text(old) else [])]


def find_static(settings: Settings, whitenoise: Fact) -> dict[str, Fact]:
    """Return the facts of static files, media and storages."""
    backend = next(iter(_backends(settings, "staticfiles", "STATICFILES_STORAGE")), "")
    files = next(iter(_backends(settings, "default", "DEFAULT_FILE_STORAGE")), "")
    name = "STORAGES" if settings.value("STORAGES") is not None else "STATICFILES_STORAGE"
    strategy = UNKNOWN
    if whitenoise.value is True:
        strategy = Fact("whitenoise", whitenoise.confidence, whitenoise.evidence)
    elif any(word in backend for word in _OBJECT_STORES):
        strategy = Fact("object-storage", "high", (settings.place(name),))
    elif settings.text("STATIC_ROOT"):
        strategy = Fact("collected", "medium", (settings.place("STATIC_ROOT", "a web server must serve it"),))
    return {
        "static": strategy,
        "static_root": _path(settings, "STATIC_ROOT"),
        "static_url": _path(settings, "STATIC_URL"),
        "static_storage": Fact(backend or _DEFAULT_STATIC, "high" if backend else "low", (settings.place(name),)),
        "media_root": _path(settings, "MEDIA_ROOT"),
        "media_storage": Fact(files or _DEFAULT_FILES, "high" if files else "low", (settings.place("STORAGES"),)),
    }


def _path(settings: Settings, name: str) -> Fact:
    text = settings.text(name)
    return Fact(text, "high", (settings.place(name),)) if text else UNKNOWN


def find_cache(settings: Settings) -> Fact:
    """Return the fact `cache`: the short name of the default cache's back end."""
    for backend in nested(settings.value("CACHES"), "default", "BACKEND"):
        if isinstance(backend, str):
            lower = backend.lower()
            kinds = ("redis", "locmem", "memcache", "db", "dummy", "filebased")
            name = next((kind for kind in kinds if kind in lower), lower.rpartition(".")[2])
            return Fact(
                {"memcache": "memcached", "db": "database"}.get(name, name), "high", (settings.place("CACHES"),)
            )
    return UNKNOWN


def find_app(settings: Settings, packages: Packages, *prefixes: str) -> Fact:
    """Return whether one of the INSTALLED_APPS begins with one of `prefixes`, which are also the names of packages."""
    apps = settings.texts("INSTALLED_APPS")
    found = next((app for app in apps if any(app == p or app.startswith(f"{p}.") for p in prefixes)), "")
    if found:
        return Fact(
            True, "high", (settings.find(rf"['\"]{re.escape(found)}['\"]") or settings.place("INSTALLED_APPS"),)
        )
    if apps:
        return Fact(False, "high", (settings.place("INSTALLED_APPS"),))
    place = settings.find(rf"['\"]({'|'.join(prefixes)})[.'\"]")
    if place:
        return Fact(True, "low", (place,))
    wanted = packages.requirements.wanted
    if wanted and packages.requirements.anywhere(*prefixes) is None:
        return Fact(False, "medium", (Place(wanted[0].place.file, 0, f"asks for no {prefixes[0]}"),))
    return UNKNOWN


def find_channels(settings: Settings, packages: Packages, asgi: Fact) -> Fact:
    """Return the fact `channels`: by its app, its layers, or its router in the ASGI module."""
    found = find_app(settings, packages, "channels")
    if found.value is True:
        return found
    if settings.value("CHANNEL_LAYERS"):
        return Fact(True, "high", (settings.place("CHANNEL_LAYERS"),))
    path = settings.layout.module_path(asgi.text.partition(":")[0])
    if path and "ProtocolTypeRouter" in settings.layout.sources.text(path):
        return Fact(True, "high", asgi.evidence)
    return found
