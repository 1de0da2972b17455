"""What drifted, for a person and for programs."""

from __future__ import annotations

from dataclasses import asdict

from shipway.app.drift import Drift
from shipway.cli.render.diff import difference_blocks
from shipway.cli.render.error import finding_document, finding_lines
from shipway.cli.render.text import Paint, harmless


def render_drift(found: Drift, paint: Paint) -> str:
    """Return the findings, or that there is none."""
    if found.accepted:
        return harmless(f"recorded: the hosts are compared with what stands there now ({found.release} serves)")
    lines = [line for finding in found.findings for line in finding_lines(finding, paint)]
    if found.difference is not None and found.findings:
        lines += ["", *("\n".join(block) for block in difference_blocks(found.difference, paint))]
    if not found.findings:
        same = "nothing changed since the last run"
        told = f"{found.other} and {found.release} do not differ" if found.other else same
        lines.append(f"{paint('green', 'as it should be')}: {harmless(told)}")
    return "\n".join(lines)


def drift_document(found: Drift) -> dict[str, object]:
    """Return the same for programs."""
    document: dict[str, object] = {
        "ok": not found.differs,
        "release": found.release,
        "run": found.run,
        "accepted": found.accepted,
        "findings": [finding_document(finding) for finding in found.findings],
    }
    if found.other:
        document["with"] = found.other
        document["difference"] = asdict(found.difference) if found.difference is not None else None
    return document
