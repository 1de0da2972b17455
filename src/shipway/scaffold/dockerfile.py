"""The Dockerfile of a project: a stage for the front end, one for the packages, and the image itself."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from shipway.django.tree import join
from shipway.scaffold.installers import build_libraries, install_packages, system_packages
from shipway.scaffold.instructions import command, copy, env, from_image, note, run, workdir
from shipway.scaffold.server import Server
from shipway.scaffold.storage import Volume
from shipway.scaffold.subject import APP_PORT, Subject
from shipway.scaffold.variables import stand_in

_INSTALL = {
    "npm": ("npm", "ci"),
    "yarn": ("yarn", "install", "--frozen-lockfile"),
    "pnpm": ("pnpm", "install", "--frozen-lockfile"),
    "bun": ("bun", "install", "--frozen-lockfile"),
}
_JS_LOCKS = {
    "npm": ("package-lock.json", "npm-shrinkwrap.json"),
    "yarn": ("yarn.lock",),
    "pnpm": ("pnpm-lock.yaml",),
    "bun": ("bun.lock", "bun.lockb"),
}
_NODE = "22"
"""The Node.js for a project that names none: a long-term release, supported until April 2027 (nodejs.org)."""
USER_ID = "10001"


def write_dockerfile(subject: Subject, server: Server, volumes: Sequence[Volume]) -> str:
    """Return the text of the Dockerfile, for the build context `subject.base`."""
    has_frontend = isinstance(subject.fact("frontend").value, dict)
    stages = [_frontend(subject)] if has_frontend else []
    stages += [_packages(subject), _image(subject, server, volumes, has_frontend=has_frontend)]
    head = [note("Written by `shipway init`; it is yours. It needs no BuildKit, and nothing secret is in the image.")]
    return "\n".join([*head, "", "\n\n".join("\n".join(lines) for lines in stages)]) + "\n"


def _frontend(subject: Subject) -> list[str]:
    value = subject.fact("frontend").value
    found = value if isinstance(value, dict) else {}
    manager, directory = str(found.get("manager")), str(found.get("directory"))
    manager = manager if manager in _INSTALL else "npm"
    place = subject.inside(directory)
    files = [join(directory, "package.json"), *(join(directory, name) for name in (*_JS_LOCKS[manager], ".npmrc"))]
    files = [path for path in files if subject.sources.has(path)]
    has_lock = any(join(directory, name) in files for name in _JS_LOCKS[manager])
    here = "/app" if place == "." else f"/app/{place}"
    image = "oven/bun:1" if manager == "bun" else f"node:{_node(subject, directory)}-slim"
    lines = [from_image(image, "frontend"), workdir(here)]
    lines += [run(("corepack", "enable"))] if manager in ("yarn", "pnpm") else []
    lines.append(copy(*(subject.inside(path) for path in files), target="./"))
    install = _INSTALL[manager] if has_lock else (manager, "install")
    lines += [run(install), copy(".", target="/app/")]
    build = run((manager, "run", str(found.get("script"))), ("rm", "-rf", "node_modules"))
    return [*lines, build]


def _node(subject: Subject, directory: str) -> str:
    for name in (".nvmrc", ".node-version"):
        for place in (directory, "."):
            match = re.match(r"\s*v?(\d{2})(?:\.|\s|$)", subject.sources.text(join(place, name)))
            if match:
                return match[1]
    try:
        engines = json.loads(subject.sources.text(join(directory, "package.json"))).get("engines")
    except (ValueError, RecursionError, AttributeError):
        return _NODE
    match = re.match(r"\D*(\d{2})\b", str(engines.get("node"))) if isinstance(engines, dict) else None
    return match[1] if match else _NODE


def _packages(subject: Subject) -> list[str]:
    version, is_said = subject.python
    lines = [] if is_said else [note(f"The project does not say which Python it needs; {version} is a guess.")]
    lines += [from_image(f"python:{version}-slim", "packages"), env("PIP_DISABLE_PIP_VERSION_CHECK", "1")]
    return [*lines, *system_packages(build_libraries(subject)), *install_packages(subject)]


def _image(subject: Subject, server: Server, volumes: Sequence[Volume], *, has_frontend: bool) -> list[str]:
    libraries = subject.fact("system_libraries").value
    names = [name for name in libraries if isinstance(name, str)] if isinstance(libraries, list) else []
    lines = [from_image(f"python:{subject.python[0]}-slim"), env("PATH", "/venv/bin:$PATH")]
    lines += [env("PYTHONUNBUFFERED", "1")]
    lines += [env("DJANGO_SETTINGS_MODULE", subject.settings)] if subject.settings else []
    lines += [env("PYTHONPATH", path)] if (path := _import_path(subject)) else []
    lines += system_packages(names)
    lines += [run(("useradd", "--system", "--uid", USER_ID, "--create-home", "app"))]
    lines += [copy("/venv", target="/venv", stage="packages"), workdir("/app")]
    lines += [copy("/app", target="/app", stage="frontend") if has_frontend else copy(".", target=".")]
    lines += _collect(subject)
    if volumes:
        lines.append(note("A new volume takes the owner that its directory has in the image."))
        paths = [volume.path for volume in volumes]
        lines.append(run(("mkdir", "-p", *paths), ("chown", "app:", *paths)))
    return [*lines, "USER app", f"EXPOSE {APP_PORT}", *_serve(server)]


def _serve(server: Server) -> list[str]:
    missing = f"{server.name} is not among the packages yet: see `shipway init`."
    return [*([] if server.is_installed else [note(missing)]), command(server.argv)]


def _import_path(subject: Subject) -> str:
    """Return where modules are, if that is not the working directory."""
    root = subject.inside(subject.root)
    source = subject.sources.first(*(f"{join(subject.root, 'src')}/{name}" for name in _first_parts(subject)))
    places = [f"/app/{root}"] if root != "." else []
    places += [f"/app/{subject.inside(join(subject.root, 'src'))}"] if source else []
    return ":".join(places)


def _first_parts(subject: Subject) -> list[str]:
    """Return the places below src/ that would hold the settings."""
    path = subject.settings.replace(".", "/")
    return [f"{path}.py", f"{path}/__init__.py"] if path else []


def _collect(subject: Subject) -> list[str]:
    manage = subject.inside(subject.text("manage"))
    if not manage or not subject.text("static_root"):
        return [note("No STATIC_ROOT was found, so nothing is collected.")] if manage else []
    needed = [one.name for one in subject.variables if one.required and one.name != "DJANGO_SETTINGS_MODULE"]
    values = [f"{name}={stand_in(name)}" for name in needed]
    collect = ("python", manage, "collectstatic", "--noinput")
    words = ("env", *values, *collect) if values else collect
    reason = [note("These values only let the settings load while files are collected; none of them serves.")]
    return [*(reason if values else []), run(words)]
