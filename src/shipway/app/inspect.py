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
    place = directory_of(directory, "inspect")
    found = inspect_project(DirectoryTree(place))
    refuse_nothing(found, place, "inspect")
    return found


def directory_of(directory: str, verb: str) -> Path:
    """Return the directory that a call of `verb` named. Raises ConfigError `inspect.no_directory`."""
    place = Path(directory)
    if not place.is_dir():
        what = f"{directory} is no directory"
        raise ConfigError("inspect.no_directory", what, where=str(place.absolute()), next=f"shipway {verb} .")
    return place


def refuse_nothing(found: Inspection, place: Path, verb: str) -> None:
    """Raise ConfigError `inspect.no_project` where no Django project was found."""
    if not found.facts["root"].is_known and not found.facts["settings"].is_known:
        what = "found no Django project: there is no manage.py, and no wsgi.py or asgi.py"
        hint = f"is it another directory? shipway {verb} DIRECTORY"
        raise ConfigError("inspect.no_project", what, where=str(place.resolve()), next=hint)


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
