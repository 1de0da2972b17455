"""Read a Django project in a directory: facts with their evidence. Nothing of the project is imported or run."""

from __future__ import annotations

from pathlib import Path

from shipway.adapters.tree import DirectoryTree
from shipway.core.errors import ConfigError
from shipway.django.fact import Fact, Inspection, Place
from shipway.django.facts import inspect_project


def inspect_directory(directory: str) -> Inspection:
    """Return what the files below `directory` tell.

    Raises ConfigError `inspect.no_directory`, or `inspect.no_project` where no Django project is in it.
    """
    place = Path(directory)
    if not place.is_dir():
        raise ConfigError(
            "inspect.no_directory",
            f"{directory} is no directory",
            where=str(place.absolute()),
            next="shipway inspect .",
        )
    found = inspect_project(DirectoryTree(place))
    if not found.facts["root"].is_known and not found.facts["settings"].is_known:
        raise ConfigError(
            "inspect.no_project",
            "found no Django project: there is no manage.py, and no wsgi.py or asgi.py",
            where=str(place.resolve()),
            next="is it another directory? shipway inspect DIRECTORY",
        )
    return found


def inspection_document(found: Inspection) -> dict[str, object]:
    """Return `facts`, by name with their plain values (null: not known), and `evidence`, by the same names."""
    facts: dict[str, object] = {name: fact.value for name, fact in found.facts.items()}
    facts["env"] = [
        {"name": one.name, "required": one.required, "file": one.file, "line": one.line} for one in found.variables
    ]
    facts["env_required"] = [one.name for one in found.variables if one.required]
    facts["env_known"] = [one.name for one in found.variables]
    return {"facts": facts, "evidence": {name: _evidence(fact) for name, fact in found.facts.items()}}


def _evidence(fact: Fact) -> dict[str, object]:
    return {
        "confidence": fact.confidence,
        "places": [_place(place) for place in fact.evidence],
        "conflicts": list(fact.conflicts),
    }


def _place(place: Place) -> dict[str, object]:
    return {"file": place.file, "line": place.line, "why": place.why}
