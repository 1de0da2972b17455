"""Compose files: what each service runs, with which variables. Strictly bounded: YAML comes from strangers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipway.django.dockerfile import is_development
from shipway.django.tree import Sources, join, parent

MAX_CHARS = 60_000
MAX_FILES = 3
MAX_NODES = 20_000
MAX_DEPTH = 40
_NAME = re.compile(r"^(docker-)?compose([-._][\w.-]+)?\.ya?ml$")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a compose file. `environment` is what is written, without what the shell would add."""

    file: str
    name: str
    image: str
    builds: bool
    command: str
    health: str
    environment: dict[str, str]
    dockerfile: str = ""
    """What it is built from, as a path of the tree; "" for one that is not built, or is not in the tree."""


def compose_files(sources: Sources, root: str) -> list[str]:
    """Return the compose files of the project, the most telling first: named for production, then near the top."""
    found = [
        path
        for path in sources.paths
        if _NAME.match(path.rpartition("/")[2]) and not path.startswith(".") and "/." not in path and "{{" not in path
    ]

    def rank(path: str) -> tuple[bool, bool, bool, int, str]:
        says = re.search(r"prod|deploy|release|live", path.lower()) is not None
        name = path.rpartition("/")[2]
        is_plain = re.match(r"^(docker-)?compose\.ya?ml$", name) is not None
        return not says, is_development(path), not is_plain, path.count("/") - (parent(path) == root), path

    return sorted(found, key=rank)


def read_services(sources: Sources, paths: list[str]) -> list[Service]:
    """Return the services of the first few `paths`; a file that is no YAML, or too big, gives none."""
    return [one for path in paths[:MAX_FILES] for one in parse_services(path, sources)]


def parse_services(path: str, sources: Sources) -> list[Service]:
    """Return the services of one compose file."""
    document = load_yaml(sources.text(path))
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        return []
    found = []
    for name, body in list(services.items())[:60]:
        if isinstance(body, dict):
            health = body.get("healthcheck")
            found.append(
                Service(
                    path,
                    str(name),
                    str(body.get("image") or ""),
                    "build" in body,
                    f"{_words(body.get('entrypoint'))} {_words(body.get('command'))}".strip(),
                    _words(health.get("test")) if isinstance(health, dict) else "",
                    _environment(path, body, sources),
                    _dockerfile(path, body.get("build"), sources),
                )
            )
    return found


def _dockerfile(path: str, build: object, sources: Sources) -> str:
    context = build.get("context", ".") if isinstance(build, dict) else build
    name = build.get("dockerfile", "Dockerfile") if isinstance(build, dict) else "Dockerfile"
    if not isinstance(context, str) or not isinstance(name, str):
        return ""
    return sources.first(join(join(parent(path), context), name))


def load_yaml(text: str) -> object:
    """Return the dicts, lists and texts of a small YAML document, None for one that is too big, too deep or wrong.

    Scalars stay texts. Aliases and merges are followed while the whole stays below `MAX_NODES`.
    """
    if not text or len(text) > MAX_CHARS or _nesting(text) > MAX_DEPTH:
        return None
    import yaml

    try:
        # The loader in Python: where text nests too deep it raises RecursionError, and the one in C ends the process.
        return _Plain().value(yaml.compose(text, Loader=yaml.SafeLoader), 0)
    except (
        yaml.YAMLError,
        RecursionError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        AssertionError,
    ):
        return None


def _nesting(text: str) -> int:
    """Return how deep brackets stand in each other; the parser's work grows with the square of it."""
    depth = deepest = 0
    for letter in text:
        if letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}" and depth:
            depth -= 1
    return deepest


class _Plain:
    """Turns YAML nodes into plain values, counting them: a few lines of aliases can stand for billions."""

    def __init__(self) -> None:
        self.left = MAX_NODES

    def value(self, node: object, depth: int) -> object:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise ValueError
        held = getattr(node, "value", "")
        if isinstance(held, str):
            return held
        if getattr(node, "id", "") == "sequence":
            return [self.value(one, depth + 1) for one in held]
        return self._mapping(held, depth)

    def _mapping(self, pairs: list[tuple[object, object]], depth: int) -> dict[str, object]:
        merged: dict[str, object] = {}
        own: dict[str, object] = {}
        for key, value in pairs:
            name = getattr(key, "value", "")
            plain = self.value(value, depth + 1)
            if name == "<<":
                for one in plain if isinstance(plain, list) else [plain]:
                    merged.update(one if isinstance(one, dict) else {})
            elif isinstance(name, str):
                own[name] = plain
        return merged | own


def _words(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(word) for word in value[:200] if isinstance(word, (str, int, float)))[:8000]
    return str(value)[:8000] if isinstance(value, (str, int)) else ""


def _environment(path: str, body: dict[object, object], sources: Sources) -> dict[str, str]:
    found: dict[str, str] = {}
    files = body.get("env_file")
    for name in [files] if isinstance(files, (str, dict)) else files if isinstance(files, list) else []:
        file = name.get("path") if isinstance(name, dict) else name
        if isinstance(file, str):
            place = join(parent(path), file)
            there = sources.first(place, f"{place}.example", f"{place}.sample", f"{place}.template", f"{place}.dist")
            found.update(parse_env(sources.text(there)))
    given = body.get("environment")
    if isinstance(given, dict):
        found.update(
            {str(key): str(value) for key, value in list(given.items())[:400] if isinstance(value, (str, int))}
        )
    elif isinstance(given, list):
        pairs = [str(word).partition("=") for word in given[:400] if isinstance(word, str)]
        found.update({name: value for name, equals, value in pairs if equals})
    return {name: re.sub(r"^\$\{\w+:?-([^}]*)\}$", r"\1", value) for name, value in found.items()}


def parse_env(text: str) -> dict[str, str]:
    """Return the pairs of a .env file, quotes taken away; lines that are no pairs are left out."""
    found = {}
    for line in text.splitlines()[:2000]:
        match = re.match(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$", line)
        if match and not line.lstrip().startswith("#"):
            found[match[1]] = match[2].strip("\"'")
    return found
