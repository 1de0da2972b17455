"""What `doctor` found, for a person and for programs; and the list of its checks."""

from __future__ import annotations

from collections.abc import Sequence

from shipway.app.doctor.answers import Diagnosis
from shipway.checks.check import PARTS, Part
from shipway.checks.table import all_checks, check_of
from shipway.cli.render.error import finding_document, finding_lines
from shipway.cli.render.text import Paint
from shipway.core.errors import Finding, Level

_LEVELS: tuple[Level, ...] = ("error", "warning", "info")
_TITLES: dict[Part, str] = {"project": "Project", "servers": "Servers", "outside": "Outside"}


def render_diagnosis(answer: Diagnosis, paint: Paint, *, is_verbose: bool = False) -> str:
    """Return the findings by part, the worst first, what was fixed, and one line that sums it up."""
    blocks = [_part(part, answer, paint, is_verbose=is_verbose) for part in PARTS]
    blocks.append("\n".join(f"{paint('green', 'fixed')}  {done}" for done in answer.fixed))
    blocks.append(_sum(answer, paint))
    return "\n\n".join(block for block in blocks if block)


def _part(part: Part, answer: Diagnosis, paint: Paint, *, is_verbose: bool) -> str:
    left_out = answer.left_out or {}
    if part in left_out:
        return f"{paint('bold', _TITLES[part])}: not looked at ({left_out[part]})" if left_out[part] else ""
    found = _sorted(answer.findings.get(part, ()))
    if not found:
        return f"{paint('bold', _TITLES[part])}: {paint('green', 'nothing found')}"
    lines = [paint("bold", _TITLES[part])]
    for finding in found:
        lines += finding_lines(finding, paint)
        check = check_of(finding.code)
        if is_verbose and check is not None:
            lines.insert(-1 if finding.next else len(lines), f"  {paint('cyan', 'why  ')}  {check.why}")
    return "\n".join(lines)


def _sorted(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: _LEVELS.index(finding.level))


def _sum(answer: Diagnosis, paint: Paint) -> str:
    counts = [(level, sum(finding.level == level for finding in answer.all)) for level in _LEVELS]
    words = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "info": ("remark", "remarks")}
    said = ", ".join(f"{count} {words[level][count != 1]}" for level, count in counts if count)
    colour = "red" if answer.has_errors else "green"
    line = f"{paint(colour, said or 'nothing is wrong')}  ({answer.took_s:.1f} s)"
    has_fix = any((check := check_of(finding.code)) and check.is_fixed for finding in answer.all)
    return line + ("\n`shipway doctor --fix` mends what is safe to mend" if has_fix else "")


def diagnosis_document(answer: Diagnosis) -> dict[str, object]:
    """Return the answer for programs."""
    return {
        "ok": not answer.has_errors,
        "findings": [_finding(part, one) for part in PARTS for one in _sorted(answer.findings.get(part, ()))],
        "left_out": {part: reason or "not asked for" for part, reason in (answer.left_out or {}).items()},
        "fixed": list(answer.fixed),
        "took_s": round(answer.took_s, 2),
    }


def _finding(part: Part, finding: Finding) -> dict[str, str]:
    check = check_of(finding.code)
    return {"part": part, **finding_document(finding), "why": check.why if check else ""}


def render_checks(paint: Paint) -> str:
    """Return the table of all checks: code, level, what it finds, why it matters, what helps."""
    blocks: list[str] = []
    shown = ""
    for part, check in all_checks():
        if part != shown:
            blocks.append(paint("bold", _TITLES[part]))
            shown = part
        mend = check.mend + ("  (--fix does it)" if check.is_fixed and "--fix" not in check.mend else "")
        colour = {"error": "red", "warning": "yellow"}.get(check.level, "cyan")
        rows = (("why  ", check.why), ("next ", mend))
        headline = f"{paint(colour, f'{check.level}[{check.code}]:')} {check.title}"
        blocks.append("\n".join([headline, *(f"  {paint('cyan', name)}  {text}" for name, text in rows)]))
    return "\n".join(blocks)


def checks_document() -> list[dict[str, object]]:
    """Return the table of all checks for programs."""
    return [
        {
            "part": part,
            "code": check.code,
            "level": check.level,
            "what": check.title,
            "why": check.why,
            "next": check.mend,
            "fix": check.is_fixed,
        }
        for part, check in all_checks()
    ]
