"""Which Python runs the project: several files may say it, and they may contradict each other."""

from __future__ import annotations

import re

from shipway.django.dockerfile import Dockerfile
from shipway.django.fact import UNKNOWN, Confidence, Fact, Place
from shipway.django.packages import minor_of
from shipway.django.processes import Processes
from shipway.django.requirements import read_toml, table
from shipway.django.tree import Sources, join, line_of, upwards

_IMAGE = re.compile(r"python[:@-]?v?(3\.\d+)|python:(\d+\.\d+)|py(3\.\d+)|:(3\.\d+)-python|python/?(3\d\d)\b")
_INSTALLED = re.compile(r"(?:^|\s)(?:PYTHON_VERSION|UV_PYTHON)[= ][\"']?(3\.\d+)")
_MAX_CI_FILES = 30


def find_python(sources: Sources, root: str, processes: Processes) -> Fact:
    """Return the fact `python`, as `3.12`; what other files say else is listed as conflicts."""
    found = [
        *_version_files(sources, root),
        *(_image(processes.image) if processes.image else ()),
        *_runtime(sources, root),
        *_manifests(sources, root),
        *_continuous_integration(sources),
    ]
    if not found:
        return UNKNOWN
    version, confidence, place = found[0]
    against = [
        f"{other.file}:{other.line} says {said}"
        for said, sure, other in found[1:]
        if said != version and sure == "high" and not other.why.startswith("at least")
    ]
    return Fact(version, "medium" if against and confidence == "high" else confidence, (place,), tuple(against))


Said = tuple[str, Confidence, Place]


def _version_files(sources: Sources, root: str) -> list[Said]:
    for directory in upwards(root):
        path = join(directory, ".python-version")
        match = re.search(r"^\s*(?:python-|cpython-)?(3\.\d+)", sources.text(path), re.MULTILINE)
        if match:
            return [(match[1], "high", Place(path, line_of(sources.text(path), match.start(1))))]
    return []


def _image(image: Dockerfile) -> list[Said]:
    """Return the version of the last stage that is made from a Python image; ARG values are filled in."""
    arguments = {}
    for instruction in image.instructions:
        if instruction.keyword == "ARG":
            name, _, value = instruction.text.partition("=")
            arguments[name.strip()] = value.strip().strip("\"'")
    for instruction in reversed(image.of("FROM")):
        text = re.sub(r"\$\{?(\w+)(?::-([^}]*))?\}?", lambda m: arguments.get(m[1], m[2] or ""), instruction.text)
        match = _IMAGE.search(text.lower())
        version = next((group for group in match.groups() if group), "") if match else ""
        if version:
            version = version if "." in version else f"3.{version[1:]}"
            return [
                (
                    version,
                    "high",
                    Place(image.path, instruction.line, text.split()[-3] if " as " in text.lower() else text),
                )
            ]
    return [
        (match[1], "medium", Place(image.path, instruction.line, "a Python that the image installs"))
        for instruction in image.of("ARG", "ENV")
        if (match := _INSTALLED.search(instruction.text))
    ][:1]


def _runtime(sources: Sources, root: str) -> list[Said]:
    for path in dict.fromkeys((join(root, "runtime.txt"), "runtime.txt")):
        match = re.search(r"python-(3\.\d+)", sources.text(path))
        if match:
            return [(match[1], "high", Place(path, 1))]
    return []


def _manifests(sources: Sources, root: str) -> list[Said]:
    found: list[Said] = []
    for directory in upwards(root):
        path = join(directory, "pyproject.toml")
        document = read_toml(sources, path)
        spec = table(document, "project").get("requires-python") or table(
            document, "tool", "poetry", "dependencies"
        ).get("python")
        if isinstance(spec, str):
            found += _from_spec(spec, Place(path, _line(sources.text(path), spec)))
        pipfile = join(directory, "Pipfile")
        required = table(read_toml(sources, pipfile), "requires")
        version = required.get("python_version") or required.get("python_full_version")
        if isinstance(version, str):
            found.append(
                (".".join(version.split(".")[:2]), "high", Place(pipfile, _line(sources.text(pipfile), version)))
            )
        for name, pattern in (
            ("setup.cfg", r"python_requires\s*=\s*(.+)"),
            ("setup.py", r"python_requires\s*=\s*[\"']([^\"']+)"),
        ):
            match = re.search(pattern, sources.text(join(directory, name)))
            if match:
                found += _from_spec(match[1].strip(), Place(join(directory, name), 0))
    return found


def _from_spec(spec: str, place: Place) -> list[Said]:
    version, is_sure = minor_of(spec)
    if not version.startswith("3."):
        return []
    return [
        (
            version,
            "high" if is_sure else "medium",
            Place(place.file, place.line, spec if is_sure else f"at least: {spec}"),
        )
    ]


def _line(text: str, words: str) -> int:
    return line_of(text, text.find(words))


def _continuous_integration(sources: Sources) -> list[Said]:
    """Return the highest version that CI names, where nothing else says one: low, since a matrix is a range."""
    found: list[tuple[tuple[int, int], Place]] = []
    paths = [
        p
        for p in sources.paths
        if p.startswith((".github/workflows/", ".circleci/", ".gitlab-ci")) and p.endswith(("yml", "yaml"))
    ]
    for path in paths[:_MAX_CI_FILES]:
        text = sources.text(path)
        for match in re.finditer(
            r"python[-_]version[\"']?:\s*\[?([^\n]*)|image:\s*(?:\S*/)?python:(\S+)", text, re.IGNORECASE
        ):
            place = Place(path, line_of(text, match.start()))
            minors = re.findall(r"\b3\.(\d{1,3})\b", (match[1] or match[2] or "")[:500])
            found += [((3, int(minor)), place) for minor in minors]
    if not found:
        return []
    (major, minor), place = max(found, key=lambda one: one[0])
    return [(f"{major}.{minor}", "low", place)]
