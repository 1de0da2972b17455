"""Dockerfiles: instructions with their lines, which stage each belongs to, and which file builds the project."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from shipway.django.tree import Sources, parent

MAX_LINES = 3_000
_INSTRUCTION = re.compile(
    r"^\s*(FROM|RUN|CMD|ENTRYPOINT|ENV|ARG|COPY|ADD|WORKDIR|HEALTHCHECK|EXPOSE|USER|VOLUME|ONBUILD|LABEL|SHELL)\s+(.*)$",
    re.IGNORECASE,
)
_PAIR = re.compile(r"""([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|'[^']*'|\S*)""")
_CP = re.compile(r"\bcp\s+(?:-\w+\s+)*([\w./-]+)\s+([\w./-]+)(?=\s*(?:[;&|]|$))")
_DEVELOPMENT = re.compile(
    r"(^|[-_./])(dev|devcontainer|development|local|test|tests|testing|ci|docs|e2e|demo)([-_./]|$)"
)
_BUILDS = re.compile(
    r"manage(\.py)?\b|gunicorn|uwsgi|uvicorn|daphne|granian|hypercorn|requirements|pyproject\.toml|uv sync|pipenv"
    r"|poetry|DJANGO"
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; `stage` is its stage's name, or number where it has none; `line` counts from 1."""

    keyword: str
    text: str
    line: int
    stage: str


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A parsed Dockerfile."""

    path: str
    instructions: tuple[Instruction, ...]

    @property
    def stages(self) -> list[str]:
        """The names of the stages, in order."""
        return list(dict.fromkeys(found.stage for found in self.instructions))

    def of(self, *keywords: str) -> list[Instruction]:
        """Return the instructions with one of `keywords`, leaving out stages that are for development."""
        stages = [stage for stage in self.stages if not is_development(stage)] or self.stages
        return [found for found in self.instructions if found.keyword in keywords and found.stage in stages]

    def last(self, *keywords: str) -> Instruction | None:
        """Return the last of the instructions that `of` gives."""
        found = self.of(*keywords)
        return found[-1] if found else None

    @property
    def environment(self) -> dict[str, tuple[str, int]]:
        """The variables that ENV sets in stages not for development, with their lines."""
        found: dict[str, tuple[str, int]] = {}
        for instruction in self.of("ENV"):
            pairs = _PAIR.findall(instruction.text)
            if not pairs and " " in instruction.text:
                pairs = [tuple(instruction.text.split(None, 1))]
            found.update({name: (value.strip("\"'"), instruction.line) for name, value in pairs})
        return found

    @property
    def copies(self) -> dict[str, str]:
        """Where single files of the repository go: path in the image → path given to COPY."""
        found: dict[str, str] = {}
        for instruction in self.of("COPY", "ADD"):
            words = [word for word in _words(instruction.text) if not word.startswith("--")]
            if "--from=" in instruction.text or len(words) < 2:  # noqa: PLR2004  a source and a destination
                continue
            for source in words[:-1]:
                place = words[-1] + source.rpartition("/")[2] if words[-1].endswith("/") else words[-1]
                found[place] = source
        for instruction in self.of("RUN"):
            found.update({place: source for source, place in _CP.findall(instruction.text)})
        return found


def is_development(name: str) -> bool:
    """Tell whether a file or stage calls itself one for development or tests."""
    return bool(_DEVELOPMENT.search(name.lower()))


def exec_words(text: str) -> list[str]:
    """Return the words of a CMD or ENTRYPOINT, of either form."""
    return _words(text)


def _words(text: str) -> list[str]:
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return []
        return [str(word) for word in found] if isinstance(found, list) else []
    return text.split()


def parse_dockerfile(path: str, text: str) -> Dockerfile:
    """Return the instructions of a Dockerfile; lines that are none are left out."""
    found: list[Instruction] = []
    stage, number, pending, start = "", -1, "", 0
    for count, raw in enumerate(text.splitlines()[:MAX_LINES], 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        start = start if pending else count
        pending = f"{pending} {line}".strip()
        if pending.endswith("\\"):
            pending = pending[:-1].rstrip()
            continue
        match = _INSTRUCTION.match(pending)
        pending = ""
        if match is None:
            continue
        keyword, rest = match[1].upper(), match[2].strip()
        if keyword == "FROM":
            number += 1
            words = rest.split()
            stage = words[-1] if len(words) > 2 and words[-2].lower() == "as" else str(number)  # noqa: PLR2004
        found.append(Instruction(keyword, rest, start, stage))
    return Dockerfile(path, tuple(found))


def find_dockerfiles(sources: Sources) -> list[Dockerfile]:
    """Return every Dockerfile of the repository that belongs to the product; hidden directories are left out."""
    found = []
    for path in sources.paths:
        name = path.rpartition("/")[2].lower()
        if any(part.startswith(".") for part in path.split("/")) or "{{" in path:
            continue
        is_one = name in ("dockerfile", "containerfile") or name.startswith(("dockerfile.", "dockerfile-"))
        if (is_one or name.endswith(".dockerfile")) and not name.endswith((".dockerignore", ".j2", ".md", ".sh")):
            found.append(parse_dockerfile(path, sources.text(path)))
    has_main = any(builds_project(one) for one in found)
    return [one for one in found if not (has_main and _is_of_a_neighbour(one))]


def _is_of_a_neighbour(dockerfile: Dockerfile) -> bool:
    """A service that development needs beside the project: docker/<service>/Dockerfile that builds something else."""
    parts = parent(dockerfile.path).split("/")
    text = " ".join(found.text for found in dockerfile.instructions)
    is_beside = len(parts) > 1 and parts[0] in ("docker", "tests", "test")
    return is_beside and not builds_project(dockerfile) and "DJANGO" not in text


def builds_project(dockerfile: Dockerfile) -> bool:
    """Tell whether an image of this file holds the Django project: it is made with Python, and its files say so."""
    text = " ".join(found.text for found in dockerfile.instructions)
    is_python = any("python" in found.text.lower() for found in dockerfile.instructions if found.keyword == "FROM")
    has_app = "manage.py" in text or "manage " in text or bool(_BUILDS.search(text))
    is_alien = re.search(r"\bapp\.py\b", text) is not None and "manage" not in text
    return has_app and not is_alien and (is_python or "manage.py" in text or "pip" in text or "uv " in text)


def production_dockerfile(found: list[Dockerfile], root: str) -> Dockerfile | None:
    """Return the Dockerfile that builds the project for production, None when there is none."""
    able = [one for one in found if builds_project(one)]

    def rank(one: Dockerfile) -> tuple[bool, bool, bool, int, str]:
        says = re.search(r"prod|deploy|release", one.path.lower()) is not None
        is_near = parent(one.path) in (".", root)
        serves = one.last("CMD", "ENTRYPOINT") is not None
        name = one.path.rpartition("/")[2].lower()
        return (
            is_development(one.path),
            not serves,
            not (is_near or says),
            one.path.count("/"),
            f"{name != 'default.dockerfile'}{one.path}",
        )

    return min(able, key=rank, default=None)
