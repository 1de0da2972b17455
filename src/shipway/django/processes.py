"""The commands that a repository's files run: Procfile, Dockerfile, compose, process keepers, platforms, scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipway.django.commands import (
    COMPOSE,
    COMPOSE_PRODUCTION,
    HINT,
    IMAGE,
    INSTALLS,
    MAX_COMMAND,
    PLATFORM,
    PROCFILE,
    SCRIPT,
    SERVES,
    Command,
    lines_of_commands,
)
from shipway.django.compose import Service, compose_files, read_services
from shipway.django.dockerfile import (
    Dockerfile,
    builds_project,
    exec_words,
    find_dockerfiles,
    is_development,
    production_dockerfile,
)
from shipway.django.fact import Place
from shipway.django.server_files import configured_commands, gunicorn_commands, keeper_commands
from shipway.django.tree import Sources, join, parent, upwards

_PLATFORM_FILES = (
    "config/deploy.yml", "deploy.yml",
    "fly.toml", "render.yaml", "render.yml", "railway.json", "railway.toml", "heroku.yml", "app.json", "app.yaml",
    "nixpacks.toml", "captain-definition", "koyeb.yaml", "zerops.yml", ".platform.app.yaml", "clevercloud/python.json",
    "scalingo.json", "dokku-app.json", "project.toml", "cloudbuild.yaml", "apprunner.yaml", "vercel.json", "Aptfile",
)  # fmt: skip
_DOC_COMMAND = re.compile(
    r"(ExecStart=|^\s*(\$ |\(venv\)\$ )|^\s{2,})\S*(gunicorn|uwsgi|uvicorn|daphne|granian|celery)\b.*"
)


@dataclass(frozen=True, slots=True)
class Processes:
    """All that a repository says about running itself."""

    commands: tuple[Command, ...]
    dockerfiles: tuple[Dockerfile, ...]
    image: Dockerfile | None
    services: tuple[Service, ...]
    procfile: str = ""
    platforms: tuple[str, ...] = ()
    compose: tuple[str, ...] = ()


def read_processes(sources: Sources, root: str) -> Processes:
    """Return the commands of a repository whose Django project is in `root`, the most telling first."""
    dockerfiles = find_dockerfiles(sources)
    image = production_dockerfile(dockerfiles, root)
    composes = compose_files(sources, root)
    services = [one for one in read_services(sources, composes) if not _is_of_another(one, sources, root)]
    image = _image_of_production(services, dockerfiles) or image
    procfile = sources.first("Procfile", join(root, "Procfile"))
    platforms = tuple(
        path for name in _PLATFORM_FILES for path in dict.fromkeys((name, join(root, name))) if sources.has(path)
    )
    commands = [
        *(_image_commands(image, sources) if image else ()),
        *_procfile_commands(procfile, sources),
        *(one for path in platforms for one in lines_of_commands(path, sources, PLATFORM)),
        *keeper_commands(sources),
        *gunicorn_commands(sources, root),
        *_service_commands(services, sources),
        *_script_commands(sources, root),
        *_hints(sources),
    ]
    commands += configured_commands(commands, sources, root)
    commands.sort(key=lambda one: -one.weight)
    return Processes(tuple(commands), tuple(dockerfiles), image, tuple(services), procfile, platforms, tuple(composes))


def _is_of_another(service: Service, sources: Sources, root: str) -> bool:
    """Tell whether a service is built from a directory beside the project that has packages of its own."""
    home = parent(service.dockerfile) if service.dockerfile else "."
    if home == "." or home in upwards(root) or f"{home}/".startswith(f"{root}/"):
        return False
    return bool(sources.first(*(join(home, name) for name in _MANIFESTS)))


_MANIFESTS = ("pyproject.toml", "requirements.txt", "package.json", "setup.py", "go.mod", "Cargo.toml", "Gemfile")


def _image_of_production(services: list[Service], dockerfiles: list[Dockerfile]) -> Dockerfile | None:
    """Return the Dockerfile that a compose file for production builds the project from."""
    named = [one.dockerfile for one in services if one.dockerfile and _IS_PRODUCTION.search(one.file.lower())]
    return next((one for one in dockerfiles if one.path in named and builds_project(one)), None)


_IS_PRODUCTION = re.compile(r"prod|deploy|release|live")


def _image_commands(image: Dockerfile, sources: Sources) -> list[Command]:
    found: list[Command] = []
    # The last CMD counts most; earlier stages are workers and the like. ENTRYPOINT scripts often end in the server.
    for number, instruction in enumerate(reversed(image.of("CMD", "ENTRYPOINT", "HEALTHCHECK"))):
        if instruction.keyword == "HEALTHCHECK":
            continue
        words = exec_words(instruction.text)
        place = Place(image.path, instruction.line, instruction.keyword)
        weight = IMAGE - min(number, 4)
        found.append(Command(" ".join(words)[:MAX_COMMAND], place, weight, "web" if number == 0 else ""))
        for word in words:
            script = script_path(word, image, sources)
            if script:
                found += lines_of_commands(script, sources, weight)
    return found


def script_path(word: str, image: Dockerfile, sources: Sources) -> str:
    """Return the file of the repository that a word of an image's command runs or reads, "" when there is none."""
    name = word.strip("\"'").rpartition("/")[2]
    if "." not in name and "/" not in word:
        return ""
    source = image.copies.get(word)
    if source is not None:
        found = sources.first(join(".", source), join(parent(image.path), source))
        if found:
            return found
    near = [
        path for path in sources.named(name) if not any(part in ("tests", "node_modules") for part in path.split("/"))
    ]
    tail = [path for path in near if word.strip("./").endswith(path)] or near
    return min(tail, key=lambda path: (parent(path) != parent(image.path), path.count("/"), path), default="")


def _procfile_commands(path: str, sources: Sources) -> list[Command]:
    found: list[Command] = []
    for number, line in enumerate(sources.text(path).splitlines()[:200], 1):
        role, colon, text = line.partition(":")
        if colon and re.fullmatch(r"[\w-]+", role.strip()):
            found.append(
                Command(
                    text.strip()[:MAX_COMMAND], Place(path, number, f"{role.strip()} process"), PROCFILE, role.strip()
                )
            )
            for word in text.split():
                script = sources.first(join(".", word), join(parent(path), word)) if "/" in word or "." in word else ""
                if script and not script.endswith(".py"):
                    found += lines_of_commands(script, sources, PROCFILE - 1, role.strip())
    return found


def _service_commands(services: list[Service], sources: Sources) -> list[Command]:
    found = []
    for service in services:
        weight = COMPOSE
        if _IS_PRODUCTION.search(service.file.lower()):
            weight = COMPOSE_PRODUCTION
        elif is_development(service.file):
            weight = HINT
        if service.command:
            line = _line_with(sources.text(service.file), service.command)
            place = Place(service.file, line, f"service {service.name}")
            found.append(Command(service.command[:MAX_COMMAND], place, weight, service.name))
            for word in service.command.split():
                name = word.strip("\"'").rpartition("/")[2]
                is_script = name.endswith(".sh") or (word.startswith("/") and "." not in name)
                scripts = sources.named(name) if is_script and name else []
                found += lines_of_commands(scripts[0], sources, weight - 1, service.name) if scripts else []
    return found


def _line_with(text: str, command: str) -> int:
    words = [word for word in re.split(r"[\s\"',\[\]]+", command) if word][:3]
    for number, line in enumerate(text.splitlines(), 1):
        if words and all(word in line for word in words):
            return number
    return 0


def _script_commands(sources: Sources, root: str) -> list[Command]:
    found: list[Command] = []
    for path in sources.paths:
        parts = path.split("/")
        is_place = (
            len(parts) == 1 or parent(path) == root or parts[-2] in _SCRIPT_PLACES or path.startswith(_SCRIPT_STARTS)
        )
        is_script = path.endswith((".sh", ".bash")) or ("." not in parts[-1] and is_place and len(parts) > 1)
        if is_place and is_script and not any(part.startswith(".") or part == "node_modules" for part in parts):
            found += lines_of_commands(path, sources, HINT if is_development(path) else SCRIPT)
    return found


_SCRIPT_PLACES = frozenset(
    ("bin", "scripts", "docker", "deploy", "deployment", "django", "etc", "contrib", "dockerfiles")
)
_SCRIPT_STARTS = ("docker/", "deploy/", "compose/", "dockerfiles/", "deployment/")
MAX_PAGE = 200_000


def _hints(sources: Sources) -> list[Command]:
    """Return what the documentation shows: unit files and commands. They decide only where nothing else does."""
    found = []
    pages = [
        p
        for p in sources.paths
        if p.endswith((".rst", ".md")) and re.search(r"install|deploy|production|README", p, re.IGNORECASE)
    ]
    for path in sorted(pages, key=lambda path: (path.count("/"), path))[:40]:
        text = sources.text(path)
        if "translat" in path or len(text) > MAX_PAGE or not SERVES.search(text):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if _DOC_COMMAND.search(line) and not INSTALLS.search(line):
                found.append(Command(line.strip()[:MAX_COMMAND], Place(path, number, "documentation"), HINT))
    return found
