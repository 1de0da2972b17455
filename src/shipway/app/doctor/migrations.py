"""Whether models were changed without a migration, asked of the project's own Python where there is one here."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from shipway.adapters.interpreter import find_interpreters, find_manage, run_program
from shipway.checks.table import found
from shipway.core.errors import Finding
from shipway.django.missing_source import missing_source, parse_missing

_LIMIT_S = 20.0
_LIMIT_BYTES = 1_000_000


def check_migrations(directory: Path) -> tuple[Finding, ...]:
    """Return a finding for each app without its migrations. Nothing where no virtualenv here has Django."""
    answers: list[str] = []
    for python in _interpreters(directory):
        token = secrets.token_hex(16)
        manage = find_manage(directory)
        try:
            answered = run_program(
                python, missing_source(token, manage), directory, limit_s=_LIMIT_S, limit_bytes=_LIMIT_BYTES
            )
        except OSError:
            continue
        labels = parse_missing(answered.output, token)
        if labels is not None:
            return tuple(_finding(label) for label in labels)
        if "No module named 'django'" not in answered.said:
            answers.append(_reason(answered.said))
    if not answers:
        return ()
    what = f"the project's Python could not load it here: {answers[0]}"
    return (found("project.migrations_unknown", what),)


def _interpreters(directory: Path) -> list[str]:
    """Return the Pythons of virtualenvs that may be the project's; Shipway's own is, where it stands beside it."""
    near = {*(str(place) for place in (directory, *directory.parents[:2])), os.environ.get("VIRTUAL_ENV", "")}
    found_here = [Path(python) for python in find_interpreters(directory, os.environ)]
    return [
        str(python)
        for python in found_here
        if (python.parents[1] / "pyvenv.cfg").is_file() and near & {str(python.parents[1]), str(python.parents[2])}
    ]


def _finding(label: str) -> Finding:
    what = f"the models of {label} were changed, and no migration says so"
    return found("project.migrations_missing", what, label, f"python manage.py makemigrations {label}")


def _reason(said: str) -> str:
    """Return the name of the error alone: its text may hold a value of the environment."""
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "no answer")
    name = last.partition(":")[0].strip()
    return name[:100] if name.replace(".", "").isidentifier() else "no answer"
