"""The verdicts on migrations, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.app.migrations import MigrationsAnswer
from shipway.cli.render.text import Paint, harmless
from shipway.migrations.explain import notes, reason, recipe, recipe_name
from shipway.migrations.render import Json, render_verdicts
from shipway.migrations.verdict import Verdict

_COLOURS = {
    "safe": "green",
    "safe-with-care": "green",
    "long-running": "yellow",
    "data migration": "yellow",
    "needs-approval": "red",
    "destructive": "red",
}
OLD_CODE = {"ok": "keeps working", "conditional": "may fail in places", "breaks": "breaks"}
ROLLBACK = {"allowed": "allowed", "warn": "allowed with a warning", "refused": "refused"}
_MIB = 1024 * 1024


def document(answer: MigrationsAnswer) -> dict[str, Json]:
    """Return the answer as the document of `--json`."""
    body = render_verdicts((verdict for _, verdict in answer.verdicts), answer.vendor)
    rows = body["migrations"]
    assert isinstance(rows, list)  # noqa: S101  render_verdicts made it
    for row, (alias, verdict) in zip(rows, answer.verdicts, strict=True):
        assert isinstance(row, dict)  # noqa: S101  likewise
        row["alias"] = alias
        row["squawk"] = list(answer.squawk.get(verdict.key, ()))
    findings: list[Json] = [
        {"code": f.code, "level": f.level, "what": f.what, "where": f.where, "next": f.next} for f in answer.findings
    ]
    return body | {"base": answer.base, "findings": findings}


def is_bad(answer: MigrationsAnswer, fail_on: str) -> bool:
    """Return whether a pipeline that asked for `fail_on` must stop."""
    return any(_is_bad(verdict, fail_on) for _, verdict in answer.verdicts)


def _is_bad(verdict: Verdict, fail_on: str) -> bool:
    if fail_on == "care":
        return verdict.cls != "safe" or verdict.old_code != "ok"
    harm = verdict.old_code == "breaks" or verdict.code_rollback == "refused" or bool(verdict.broken)
    return fail_on == "dangerous" and (harm or verdict.cls in ("destructive", "needs-approval"))


def render_migrations(answer: MigrationsAnswer, paint: Paint) -> str:
    """Return the verdicts as text, in the order in which the migrations would run."""
    lines = [f"{paint('yellow', finding.level)}: {harmless(finding.what)}" for finding in answer.findings]
    if not answer.verdicts:
        return "\n".join([*lines, "No migration is pending."])
    against = f"the code of {answer.base}" if answer.base else "the code before it"
    lines.append(f"{len(answer.verdicts)} pending on {answer.vendor}, each judged against {against}")
    for _, verdict in answer.verdicts:
        lines += ["", *_verdict_lines(verdict, answer, paint)]
    return "\n".join(lines)


def _verdict_lines(verdict: Verdict, answer: MigrationsAnswer, paint: Paint) -> Iterator[str]:
    yield f"{paint('bold', harmless(verdict.migration.label))}  {paint(_COLOURS[verdict.cls], verdict.cls)}"
    yield f"  why       {harmless(reason(verdict))}"
    yield f"  old code  {OLD_CODE[verdict.old_code]}; going back: {ROLLBACK[verdict.code_rollback]}"
    sizes = dict(verdict.sizes)
    for lock in verdict.locks:
        size = sizes[lock.table]
        rows = f"{size.rows:,} rows" if size.rows >= 0 else "of unknown size"
        much = f", {size.bytes / _MIB:,.0f} MB" if size.bytes >= 0 else ""
        yield f"  lock      {lock.mode} on {lock.table} ({rows}{much}) for {lock.during}; blocks {lock.blocks}"
    if verdict.reversal != "yes":
        yield f"  undo      {_undo(verdict)}"
    for note in notes(verdict, answer.vendor):
        yield f"  note      {harmless(note)}"
    for line in answer.squawk.get(verdict.key, ()):
        yield f"  squawk    {harmless(line)}"
    steps = recipe(verdict)
    if steps:
        yield f"  recipe    {recipe_name(verdict)}:"
        yield from (f"    {number}. {harmless(step)}" for number, step in enumerate(steps, 1))


def _undo(verdict: Verdict) -> str:
    return {
        "until new rows": "only while no row was written that the old shape cannot hold",
        "schema only": "the columns come back, their values do not",
        "no": "it cannot be undone",
    }[verdict.reversal]
