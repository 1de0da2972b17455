"""The files of this package that are sent to hosts as they are."""

from __future__ import annotations

from importlib import resources


def resource(name: str) -> str:
    """Return the text of a file of this package."""
    return resources.files("shipway.runtimes.docker").joinpath(name).read_text(encoding="utf-8")
