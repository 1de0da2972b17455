"""What the venv runtime must know of a project, from the configuration and the files at the commit."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from shipway.app.service import Service
from shipway.config.proxy_run import ProxyRun
from shipway.django.static_source import static_source
from shipway.runtimes.venv import VenvSettings
from shipway.runtimes.venv.settings import LockKind

_VERSION = re.compile(r"3\.\d{1,2}")


def venv_settings_of(service: Service) -> VenvSettings:
    """Return the settings of the venv runtime. Raises ConfigError for a lock file that is not in the commit."""
    config, project = service.config, service.project
    django = config.django
    lock_file = config.venv.lock or project.lock_file
    wsgi = django.wsgi or project.wsgi
    return VenvSettings(
        settings_module=django.settings or project.settings_module,
        wsgi=wsgi,
        asgi=django.asgi or ("" if wsgi else project.asgi),
        manage=django.manage,
        python=_python(config.venv.python),
        lock=_lock_kind(lock_file),
        lock_file=lock_file,
        lock_digest=service.digest(lock_file) if lock_file else "",
        static_root=django.static.root or "",
        collect_static=django.static.collect in ("auto", "release"),
        static_check=static_source() if django.static.check else "",
        media_root=django.media.root or "",
        shared=tuple(_shared(path) for path in config.shared),
        needs_caddy=any(_program(config.proxy_run(host)) == "caddy" for host in config.proxy_hosts),
    )


def _program(run: ProxyRun | None) -> str:
    return (run.program if run else None) or "caddy"


def _python(wanted: str | None) -> str:
    return f"python{wanted}" if wanted and _VERSION.fullmatch(wanted) else wanted or "python3"


def _lock_kind(path: str) -> LockKind:
    name = PurePosixPath(path).name
    if not name:
        return "none"
    if name == "uv.lock":
        return "uv"
    # PEP 751: pylock.toml, or pylock.<name>.toml
    return "pylock" if name.startswith("pylock.") and name.endswith(".toml") else "requirements"


def _shared(path: str) -> str:
    """Return a shared path as the runtime wants it: a directory ends in `/`. A name with a suffix is a file."""
    return path if path.endswith("/") or PurePosixPath(path).suffix else f"{path}/"
