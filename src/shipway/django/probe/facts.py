"""Facts about the settings, findings of `check --deploy`, packages, caches and storages."""

from __future__ import annotations

import importlib.metadata
import os
from typing import Any

from shipway.django.probe.common import Answer, TooSlow, limit

PLAIN = [
    "DEBUG",
    "ALLOWED_HOSTS",
    "AUTH_USER_MODEL",
    "MIGRATION_MODULES",
    "STATIC_URL",
    "STATIC_ROOT",
    "MEDIA_URL",
    "MEDIA_ROOT",
    "ROOT_URLCONF",
    "WSGI_APPLICATION",
    "ASGI_APPLICATION",
    "DEFAULT_AUTO_FIELD",
    "USE_TZ",
    "TIME_ZONE",
    "SECURE_SSL_REDIRECT",
    "SECURE_PROXY_SSL_HEADER",
    "SECURE_HSTS_SECONDS",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "CSRF_TRUSTED_ORIGINS",
    "SESSION_ENGINE",
    "EMAIL_BACKEND",
    "MIDDLEWARE",
    "USE_X_FORWARDED_HOST",
    "APPEND_SLASH",
]


def settings_facts() -> dict[str, Any]:
    """Return the settings that matter to a release. Values that may be secret are not among them."""
    from django.conf import settings

    facts: dict[str, Any] = {name: plain(getattr(settings, name, None)) for name in PLAIN}
    facts["DATABASES"] = {
        alias: {key: plain(one.get(key)) for key in ("ENGINE", "CONN_MAX_AGE", "ATOMIC_REQUESTS")}
        for alias, one in settings.DATABASES.items()
    }
    facts["CACHES"] = {alias: str(one.get("BACKEND", "")) for alias, one in settings.CACHES.items()}
    storages = getattr(settings, "STORAGES", None) or {}
    facts["STORAGES"] = {alias: str(one.get("BACKEND", "")) for alias, one in storages.items()}
    return facts


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: scalars and short lists as they are, anything else as text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple, set)):
        return [plain(part) for part in list(value)[:200]]
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in list(value.items())[:200]}
    return str(value)[:500]


def app_facts() -> list[dict[str, str]]:
    """Return each installed app: label, module, and the distribution that it came from where that is known."""
    from django.apps import apps

    return [{"label": c.label, "module": c.name, "package": distribution_of(c.name)} for c in apps.get_app_configs()]


def distribution_of(module: str) -> str:
    """Return `name==version` of the distribution that brought the top package of `module`, or ""."""
    if not hasattr(distribution_of, "known"):
        find = getattr(importlib.metadata, "packages_distributions", dict)  # Python 3.10
        distribution_of.known = find()  # type: ignore[attr-defined]
    names = distribution_of.known.get(module.split(".", maxsplit=1)[0], ())  # type: ignore[attr-defined]
    return f"{names[0]}=={importlib.metadata.version(names[0])}" if names else ""


def packages() -> dict[str, str]:
    """Return the installed distributions and their versions."""
    found = {}
    for one in importlib.metadata.distributions():
        name = one.metadata["Name"]
        if name:
            found[str(name)] = str(one.version)
    return dict(sorted(found.items()))


def check_findings(answer: Answer) -> list[dict[str, str]]:
    """Return what `manage.py check --deploy` finds, without the checks that ask a database."""
    from django.core import checks

    found = checks.run_checks(include_deployment_checks=True)
    return [
        {
            "id": str(m.id or ""),
            "level": str(m.level),
            "what": answer.clean(m.msg),
            "hint": answer.clean(m.hint or ""),
            "where": answer.clean(m.obj if m.obj is not None else ""),
        }
        for m in found[:500]
    ]


def cache_facts(answer: Answer, seconds: float) -> dict[str, str]:
    """Return for each cache "" or the reason why it does not answer."""
    from django.conf import settings
    from django.core.cache import caches

    return {alias: reason(answer, seconds, lambda a=alias: caches[a].get("shipway-probe")) for alias in settings.CACHES}


def storage_facts(answer: Answer, seconds: float) -> dict[str, Any]:
    """Return the class of the default storage, where it keeps files, whether we may write there, and any error."""
    from django.core.files.storage import default_storage

    facts: dict[str, Any] = {"class": "", "location": "", "writable": None, "error": ""}

    def look() -> None:
        kind = type(getattr(default_storage, "_wrapped", default_storage))
        default_storage.exists("shipway-probe")
        kind = type(getattr(default_storage, "_wrapped", default_storage))
        facts["class"] = f"{kind.__module__}.{kind.__qualname__}"
        location = getattr(default_storage, "location", "")
        if isinstance(location, str) and os.path.isabs(location):
            facts["location"] = location
            facts["writable"] = os.access(location, os.W_OK) if os.path.isdir(location) else None

    facts["error"] = reason(answer, seconds, look)
    return facts


def reason(answer: Answer, seconds: float, ask: Any) -> str:
    """Return "" when `ask` succeeds in time, else what went wrong."""
    try:
        with limit(seconds):
            ask()
    except (Exception, TooSlow) as error:
        return answer.clean(f"{type(error).__name__}: {error}")
    return ""
