"""What serves the application in the image: the server that the packages have, told where to listen."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from shipway.core.errors import Finding
from shipway.scaffold.roles import Role
from shipway.scaffold.subject import APP_PORT, Subject

_WSGI = ("gunicorn", "granian", "waitress", "uwsgi")
_ASGI = ("uvicorn", "granian", "hypercorn", "daphne")
_ADD = {
    "uv": "uv add {0}",
    "poetry": "poetry add {0}",
    "pdm": "pdm add {0}",
    "pipenv": "pipenv install {0}",
    "pip-tools": "write {0} into the file that {1} is compiled from, and compile it again",
    "pip": "write {0} with its version into {1}",
}
_LISTENS = re.compile(r"(?:^|\s)(?:-b|--bind|--host|--port|-p|--listen|--uds|--unix-socket)(?=[\s=]|$)")
WEB_CONCURRENCY = ("gunicorn", "uvicorn")
"""Servers that take the number of their processes from the variable WEB_CONCURRENCY (their documentation)."""


@dataclass(frozen=True, slots=True)
class Server:
    """The server's name, the words that start it, and whether the project's packages have it."""

    name: str
    argv: tuple[str, ...]
    is_installed: bool


def find_server(subject: Subject, web: Role) -> Server:
    """Return the server: what the web process of another platform's file runs, else the first that is installed."""
    kind, application = subject.application
    said = _said(web)
    if said is not None and subject.has_package(said.name):
        return said
    application = application or f"{subject.settings.partition('.')[0] or 'config'}.{kind}:application"
    known = _ASGI if kind == "asgi" else _WSGI
    preferred = subject.text("server")
    order = (preferred, *known) if preferred in known else known
    name = next((one for one in order if subject.has_package(one)), "")
    if not name and kind == "asgi" and subject.has_package("gunicorn") and subject.has_package("uvicorn-worker"):
        words = ("gunicorn", application, "--worker-class", "uvicorn_worker.UvicornWorker", *_bind("gunicorn"))
        return Server("gunicorn", words, is_installed=True)
    chosen = name or known[0]
    return Server(chosen, _argv(chosen, kind, application), is_installed=bool(name))


def _said(web: Role) -> Server | None:
    """Return the server of a simple command without variables; where it says nothing of an address, one is added."""
    try:
        words = shlex.split(web.cmd)
    except ValueError:
        return None
    if not words or "$" in web.cmd or words[0] not in ("gunicorn", "uvicorn", "daphne", "granian", "hypercorn"):
        return None
    cmd = re.sub(r"127\.0\.0\.1|localhost|\[::1\]", "0.0.0.0", web.cmd)  # noqa: S104  within the container
    # Another port than ours, or a socket: what the platform had around it is not here.
    has_other = re.search(r"unix:|fd://|--fd\b|--uds\b", cmd) or (_LISTENS.search(cmd) and str(APP_PORT) not in cmd)
    if has_other:
        return None
    more = () if _LISTENS.search(cmd) else _bind(words[0])
    return Server(words[0], (*shlex.split(cmd), *more), is_installed=True)


def _bind(name: str) -> tuple[str, ...]:
    every, port = "0.0.0.0", str(APP_PORT)  # noqa: S104  within the container
    match name:
        case "gunicorn" | "hypercorn":
            return ("--bind", f"{every}:{port}")
        case "daphne":
            return ("--bind", every, "--port", port)
        case "waitress":
            return (f"--listen={every}:{port}",)
        case "uwsgi":
            return ("--http-socket", f"{every}:{port}")
        case _:
            return ("--host", every, "--port", port)


def _argv(name: str, kind: str, application: str) -> tuple[str, ...]:
    program: Sequence[str] = {
        "granian": ("granian", "--interface", kind if kind == "wsgi" else "asgi"),
        "waitress": ("waitress-serve",),
        "uwsgi": ("uwsgi", "--master", "--die-on-term", "--need-app", "--processes", "2", "--module"),
    }.get(name, (name,))
    if name == "waitress":
        return (*program, *_bind(name), application)
    return (*program, application, *_bind(name))


def check_server(server: Server, subject: Subject) -> tuple[Finding, ...]:
    """Return `init.no_server` where the packages have no server: nothing is added to them behind the user's back."""
    if server.is_installed:
        return ()
    manager, lock = subject.text("package_manager") or "pip", subject.lock or "requirements.txt"
    what = f"no server for {subject.application[0].upper()} is among the packages of {lock}; {server.name} is assumed"
    add = _ADD.get(manager, _ADD["pip"]).format(server.name, lock)
    return (Finding("init.no_server", what, where=lock, next=add, level="warning"),)
