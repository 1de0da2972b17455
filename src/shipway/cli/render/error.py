"""An error as four parts for a person, or as one JSON document. The rules of the wording are those of `core.errors`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from shipway.cli.render.text import Paint, harmless, last_lines
from shipway.core.errors import Finding, ShipwayError


def findings_of(error: ShipwayError) -> tuple[Finding, ...]:
    """Return the findings that `error` carries; none for the classes that have none, or where it says the same."""
    found: tuple[Finding, ...] = getattr(error, "findings", ())
    return () if len(found) == 1 and found[0].what == error.what else found


def render_error(error: ShipwayError, paint: Paint) -> str:
    """Return `error` for a person, with a newline at its end."""
    lines = [_headline("error", error.code, error.what, paint)]
    lines += _parts({"where": error.where}, paint)
    for finding in findings_of(error):
        lines += ["  " + line for line in finding_lines(finding, paint)]
    said = "\n".join(last_lines(error.said, error.said_lines))
    lines += _parts({"said": said, "now": error.now, "next": error.next}, paint)
    return "\n".join(lines) + "\n"


def finding_lines(finding: Finding, paint: Paint) -> list[str]:
    """Return `finding` as lines, without newlines."""
    headline = _headline(finding.level, finding.code, finding.what, paint)
    return [headline, *_parts({"where": finding.where, "next": finding.next}, paint)]


def error_document(error: ShipwayError) -> dict[str, object]:
    """Return what `--json` prints for `error`: the same fields as the message, under the key `error`."""
    fields: dict[str, object] = {
        "code": error.code,
        "what": error.what,
        "where": error.where,
        "said": "\n".join(last_lines(error.said, error.said_lines)),
        "now": error.now,
        "next": error.next,
        "exit": int(error.exit_code),
        "findings": [finding_document(finding) for finding in findings_of(error)],
    }
    return {"error": fields}


def finding_document(finding: Finding) -> dict[str, str]:
    """Return `finding` as a JSON object."""
    return {
        "code": finding.code,
        "level": finding.level,
        "what": finding.what,
        "where": finding.where,
        "next": finding.next,
    }


def render_error_json(error: ShipwayError) -> str:
    """Return `error` as one line of JSON with a newline."""
    return json.dumps(error_document(error), ensure_ascii=False) + "\n"


def _headline(level: str, code: str, what: str, paint: Paint) -> str:
    colour = {"error": "red", "warning": "yellow"}.get(level, "cyan")
    return paint(colour, f"{level}[{code}]:") + " " + paint("bold", harmless(what))


def _parts(parts: dict[str, str], paint: Paint) -> Iterator[str]:
    for name, text in parts.items():
        first, *others = harmless(text).splitlines() or [""]
        if first or others:
            yield f"  {paint('cyan', name.ljust(5))}  {first}"
            yield from (" " * 9 + line for line in others)
