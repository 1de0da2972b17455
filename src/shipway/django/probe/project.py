"""Finding and loading the project: its settings, through its own manage.py."""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any


class Found(BaseException):
    """manage.py has come to the point where it would run a command."""


def load_project(manage: str) -> None:
    """Set Django up as `manage` does: with whatever that file loads, sets and patches on its way.

    Without such a file DJANGO_SETTINGS_MODULE must say where the settings are. Raises what the project raises;
    SystemExit counts as an error of the project.
    """
    import django

    find_settings(manage)
    django.setup()


def find_settings(manage: str) -> None:
    """Do what `manage` does up to the command, so that Django knows its settings; raises as `load_project` does."""
    from django.core import management

    if os.path.isfile(manage):
        # `python manage.py` puts the directory of the file first, `python -` the working directory.
        sys.path.insert(0, os.path.dirname(os.path.abspath(manage)))
        sys.argv = [manage, "check"]
        management.execute_from_command_line = stop
        try:
            runpy.run_path(manage, run_name="__main__")
        except Found:
            pass
    elif not os.environ.get("DJANGO_SETTINGS_MODULE"):
        raise RuntimeError(f"there is no {manage} here, and DJANGO_SETTINGS_MODULE is not set")


def stop(*_: Any, **__: Any) -> None:
    """Stand in for Django's execute_from_command_line."""
    raise Found


def where_from() -> dict[str, Any]:
    """Return what is running: versions of Python and Django, and the settings module."""
    import django

    return {
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "django": django.get_version(),
        "django_version": list(django.VERSION[:2]),
        "settings": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
    }


def learn_settings(answer: Any) -> None:
    """Make known to `answer` which values of the loaded settings are secret."""
    from django.conf import settings

    answer.learn_secrets({name: getattr(settings, name, None) for name in dir(settings) if name.isupper()})
    answer.learn_secrets(passwords(settings))


def passwords(settings: Any) -> dict[str, Any]:
    """Return the databases' passwords and the caches' locations, which may hold one, under names that say secret."""
    found = {f"{alias}_PASSWORD": one.get("PASSWORD") for alias, one in settings.DATABASES.items()}
    found.update({f"{alias}_URL": one.get("LOCATION") for alias, one in settings.CACHES.items()})
    return {
        name: value for name, value in found.items() if isinstance(value, str) and ("://" in value or "PASS" in name)
    }
