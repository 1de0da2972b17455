"""The command line of a unit: the user's own, or what a web unit runs by default."""

from __future__ import annotations

import re
import shlex

from shipway.core.unit import Unit
from shipway.runtimes.venv.settings import VenvSettings

GRACE_MARGIN_S = 2  # a server must give up by itself before its keeper kills the group
_GUNICORN = re.compile(r"(?:\S*/)?(?:python[0-9.]* -m )?gunicorn(?:\s|\Z)")
KEEP_ALIVE_S = 130  # longer than the 2 minutes for which Caddy keeps an idle connection to a release


def command_line(unit: Unit, settings: VenvSettings, socket: str) -> str:
    """Return the command line of `unit` as one simple command of POSIX shell, run by `exec`.

    Variables are expanded (`$SHIPWAY_SOCKET`), nothing else: the process must be the program itself, so that signals
    reach it. Raises ValueError for anything more, and for a role without a command that has no default.
    """
    if unit.cmd.strip():
        return _simple(unit)
    if unit.kind != "web":
        raise ValueError(f"the role `{unit.role}` has no `cmd`, and there is no default for a {unit.kind}")
    if settings.asgi:
        return shlex.join(_uvicorn(unit, settings, socket))
    if not settings.wsgi:
        raise ValueError(f"the role `{unit.role}` has no `cmd`, and the project names neither `wsgi` nor `asgi`")
    return shlex.join(_gunicorn(unit, settings, socket)) + ' --worker-tmp-dir "$SHIPWAY_TMP"'


def default_server(unit: Unit, settings: VenvSettings) -> str:
    """Return the program that the default command needs in the virtualenv, "" for a unit with its own command."""
    if unit.cmd.strip() or unit.kind != "web":
        return ""
    return "uvicorn" if settings.asgi else "gunicorn"


def notifies(unit: Unit, settings: VenvSettings) -> bool:
    """Return whether a unit's program tells systemd that it has started: gunicorn does (gunicorn/arbiter.py)."""
    return default_server(unit, settings) == "gunicorn" or bool(_GUNICORN.match(unit.cmd.strip()))


def _simple(unit: Unit) -> str:
    lexer = shlex.shlex(unit.cmd, posix=True, punctuation_chars=True)
    lexer.commenters = ""
    hint = "write it as sh -c '...'"
    try:
        words = list(lexer)
    except ValueError as error:
        raise ValueError(f"the `cmd` of `{unit.role}` cannot be read ({error}): {unit.cmd}") from error
    if any(set(word) <= set("();<>|&") for word in words if word) or "\n" in unit.cmd.strip():
        raise ValueError(f"the `cmd` of `{unit.role}` is more than one simple command; {hint}: {unit.cmd}")
    if not words or "=" in words[0]:
        raise ValueError(f"the `cmd` of `{unit.role}` begins with an assignment; put it under `env`: {unit.cmd}")
    return unit.cmd.strip()


def _grace_s(unit: Unit) -> int:
    return max(1, int(unit.stop_s) - GRACE_MARGIN_S)


def _gunicorn(unit: Unit, settings: VenvSettings, socket: str) -> tuple[str, ...]:
    return (
        "gunicorn", settings.wsgi,
        "--bind", f"unix:{socket}",
        "--workers", str(settings.web_processes),
        "--threads", str(settings.web_threads),
        "--keep-alive", str(KEEP_ALIVE_S),
        "--graceful-timeout", str(_grace_s(unit)),
        "--max-requests", str(settings.max_requests),
        "--max-requests-jitter", str(settings.max_requests // 10),
        "--error-logfile", "-",
    )  # fmt: skip


def _uvicorn(unit: Unit, settings: VenvSettings, socket: str) -> tuple[str, ...]:
    app = settings.asgi if ":" in settings.asgi else f"{settings.asgi}:application"
    limit = ("--limit-max-requests", str(settings.max_requests)) if settings.max_requests else ()
    return (
        "uvicorn", app,
        "--uds", socket,
        "--workers", str(settings.web_processes),
        "--timeout-keep-alive", str(KEEP_ALIVE_S),
        "--timeout-graceful-shutdown", str(_grace_s(unit)),
        "--forwarded-allow-ips", "*",
        "--no-access-log",
        *limit,
    )  # fmt: skip
