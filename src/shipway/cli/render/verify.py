"""What came of the checks after a deploy, for a person and for programs."""

from __future__ import annotations

from collections.abc import Mapping

from shipway.app.verification.verify import Verification
from shipway.cli.render.text import Paint, duration, harmless
from shipway.verification.outcome import CheckOutcome, State, tally

_SIGNS: Mapping[State, tuple[str, str]] = {"passed": ("green", "✓"), "failed": ("red", "✗"), "skipped": ("dim", "-")}


def render_verification(answer: Verification, paint: Paint, *, is_verbose: bool = False) -> str:
    """Return a line for each check that needs no more, what is wrong with the others, and one line that sums it up."""
    failed = [one for one in answer.outcomes if one.state == "failed"]
    others = [one for one in answer.outcomes if one.state != "failed"]
    lines = _passed(others, paint) if not is_verbose else [line for one in others for line in outcome_lines(one, paint)]
    for one in sorted(failed, key=lambda one: one.is_fatal):
        lines += outcome_lines(one, paint)
    return "\n".join([*lines, _sum(answer, paint)])


def _passed(outcomes: list[CheckOutcome], paint: Paint) -> list[str]:
    """Return one line for each code: who passed, and where."""
    rows: dict[tuple[str, State], list[CheckOutcome]] = {}
    for one in outcomes:
        rows.setdefault((one.check.code, one.state), []).append(one)
    lines = []
    for (code, state), found in rows.items():
        colour, sign = _SIGNS[state]
        names = ", ".join(dict.fromkeys(one.check.name for one in found if one.check.name != code))
        hosts = ", ".join(dict.fromkeys(one.check.host for one in found if one.check.host))
        where = f" on {hosts}" if hosts else ""
        why = f": {found[0].answer.what}" if state == "skipped" and found[0].answer.what else ""
        lines.append(f"{paint(colour, sign)} {code.removeprefix('verify.')}  {paint('dim', names + where)}{why}")
    return lines


def outcome_lines(outcome: CheckOutcome, paint: Paint) -> list[str]:
    """Return one outcome with its evidence and what to do next."""
    colour, sign = _SIGNS[outcome.state]
    check, answer = outcome.check, outcome.answer
    where = " on ".join(filter(None, (check.name, check.host)))
    if outcome.state != "failed":
        said = f": {answer.what}" if answer.what else ""
        head = f"{paint(colour, sign)} {check.code.removeprefix('verify.')}  {where}{said}"
        return [head, *(f"  {paint('dim', harmless(line))}" for line in answer.evidence)]
    level, colour = ("error", "red") if check.is_required else ("warning", "yellow")
    tries = f", {outcome.attempts} tries" if outcome.attempts > 1 else ""
    rows = [
        ("where", f"{where} ({duration(outcome.duration_s)}{tries})"),
        *(("said ", line) for line in answer.evidence),
    ]
    rows += [("next ", answer.next)] if answer.next else []
    head = f"{paint(colour, f'{level}[{check.code}]:')} {harmless(answer.what)}"
    return [head, *(f"  {paint('cyan', name)}  {harmless(text)}" for name, text in rows)]


def _sum(answer: Verification, paint: Paint) -> str:
    version = f" ({answer.version[:7]})" if answer.version else ""
    good = not answer.fatal
    sign = paint("green", "✓ verified:") if good else paint("red", "✗ not right:")
    return f"{sign} {answer.release}{version}: {tally(answer.outcomes)}  ({duration(answer.took_s)})"


def verification_document(answer: Verification) -> dict[str, object]:
    """Return the answer for programs."""
    return {
        "ok": not answer.fatal,
        "service": answer.service,
        "destination": answer.destination,
        "release": answer.release,
        "version": answer.version,
        "took_s": round(answer.took_s, 3),
        "checks": [outcome_document(one) for one in answer.outcomes],
    }


def outcome_document(outcome: CheckOutcome) -> dict[str, object]:
    """Return one outcome for programs."""
    check, answer = outcome.check, outcome.answer
    return {
        "code": check.code,
        "name": check.name,
        "host": check.host,
        "state": outcome.state,
        "required": check.is_required,
        "what": answer.what,
        "evidence": list(answer.evidence),
        "next": answer.next,
        "attempts": outcome.attempts,
        "duration_s": round(outcome.duration_s, 3),
    }
