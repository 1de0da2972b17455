"""What a rehearsal saw, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.app.rehearse import RehearsalAnswer
from shipway.cli.render import migrations
from shipway.cli.render.text import Paint, harmless
from shipway.migrations.rehearsal import Failure, Says, compare
from shipway.migrations.render import Json
from shipway.migrations.words import CodeRollback, OldCode

_MOST = 12
_BESIDE = {"the same": "the first opinion says the same", "more": "more than the first opinion", "less": "less than it"}


def verdict_of(answer: RehearsalAnswer, alias: str) -> tuple[OldCode, CodeRollback, Says]:
    """Return the worse of both opinions on the plan of one database, and what the rehearsal says beside the first."""
    first = [(v.old_code, v.code_rollback) for _, v in answer.first.verdicts]
    return compare(answer.opinions[alias], first)


def document(answer: RehearsalAnswer) -> dict[str, Json]:
    """Return the answer as the document of `--json`: that of `shipway migrations`, and what was seen."""
    body = migrations.document(answer.first)
    body["rehearsal"] = [_database(answer, alias) for alias in answer.opinions]
    body["leftovers"] = [{"alias": one[0], "name": one[1], "when": one[2]} for one in answer.left]
    body["kept"] = dict(answer.kept)
    return body


def _database(answer: RehearsalAnswer, alias: str) -> dict[str, Json]:
    opinion, seen, scratch = answer.opinions[alias], answer.seen[alias], answer.scratch[alias]
    old_code, rollback, says = verdict_of(answer, alias)
    return {
        "alias": alias,
        "schema": ("" if answer.fresh else scratch.by) or "the old release's migrations",
        "rows": scratch.rows,
        "notes": list(scratch.notes),
        "prepared": list(seen.prepared),
        "applied": list(seen.applied),
        "failed": opinion.failed,
        "error": opinion.error,
        "old_code": opinion.old_code,
        "code_rollback": opinion.code_rollback,
        "new_code": "ok" if opinion.new_works else "breaks",
        "says": says,
        "verdict": {"old_code": old_code, "code_rollback": rollback},
        "failures": [
            {"release": f.release, "model": f.model, "action": f.action, "says": f.words, "ordinary": f.is_ordinary}
            for f in opinion.failures
        ],
        "values": list(opinion.values),
        "not_tried": [{"model": model, "why": why} for model, why in opinion.unseen],
    }


def is_bad(answer: RehearsalAnswer, fail_on: str) -> bool:
    """Return whether the plan failed, the new code does, or what a pipeline asked to stop for was seen."""
    if any(not one.new_works for one in answer.opinions.values()) or migrations.is_bad(answer.first, fail_on):
        return True
    worst = [verdict_of(answer, alias)[:2] for alias in answer.opinions]
    if fail_on == "care":
        return any(one != ("ok", "allowed") for one in worst)
    return fail_on == "dangerous" and any(old == "breaks" or back == "refused" for old, back in worst)


def render_rehearsal(answer: RehearsalAnswer, paint: Paint) -> str:
    """Return what was seen as text."""
    lines = [f"{paint('yellow', finding.level)}: {harmless(finding.what)}" for finding in answer.first.findings]
    if not answer.first.verdicts:
        return "\n".join([*lines, "No migration is pending: there is nothing to rehearse."])
    for alias in answer.opinions:
        lines += [*_database_lines(answer, alias, paint), ""]
    lines += [_first_line(alias, verdict.migration.label, answer) for alias, verdict in answer.first.verdicts]
    for alias, name, when in answer.left:
        lines.append(
            f"{paint('yellow', 'left over')}: the database {harmless(name)} of a rehearsal at {harmless(when)}, on the"
            f" server of {harmless(alias)}; when that has ended: DROP DATABASE {harmless(name)};"
        )
    lines += [
        f"{paint('red', 'not removed')}: {harmless(alias)}: {harmless(why)}" for alias, why in answer.kept.items()
    ]
    return "\n".join(lines)


def _first_line(alias: str, label: str, answer: RehearsalAnswer) -> str:
    verdict = next(v for a, v in answer.first.verdicts if (a, v.migration.label) == (alias, label))
    return (
        f"first opinion  {harmless(label)}: {verdict.cls}; old code {migrations.OLD_CODE[verdict.old_code]}; going back"
        f" {migrations.ROLLBACK[verdict.code_rollback]}"
    )


def _database_lines(answer: RehearsalAnswer, alias: str, paint: Paint) -> Iterator[str]:
    opinion, seen, scratch = answer.opinions[alias], answer.seen[alias], answer.scratch[alias]
    made = "by the old release's own migrations" if answer.fresh or not scratch.by else f"by {scratch.by}"
    rows = "" if scratch.rows == 0 else ", all rows" if scratch.rows < 0 else f", {scratch.rows:,} rows"
    yield f"{paint('bold', harmless(alias))}  a scratch database, its schema {made}{rows}"
    if seen.prepared and not answer.fresh and scratch.by:
        yield f"  before    {len(seen.prepared)} migrations of the old code that the database lacked were applied first"
    yield f"  applied   {', '.join(map(harmless, seen.applied)) or 'nothing'}"
    if opinion.error:
        yield f"  {paint('red', 'failed')}    {harmless(opinion.failed)}: {harmless(opinion.error)}"
        return
    old_code, rollback, says = verdict_of(answer, alias)
    colour = {"ok": "green", "conditional": "yellow", "breaks": "red"}[opinion.old_code]
    yield (
        f"  old code  {paint(colour, migrations.OLD_CODE[opinion.old_code])}; going back:"
        f" {migrations.ROLLBACK[opinion.code_rollback]} ({_BESIDE[says]})"
    )
    yield from _failures([one for one in opinion.failures if one.release == "old"])
    yield from (f"            {harmless(text)}" for text in opinion.values)
    yield f"  new code  {paint('green', 'works') if opinion.new_works else paint('red', 'fails on its own schema')}"
    yield from _failures([one for one in opinion.failures if one.release == "new"])
    yield from (f"  not tried {harmless(model)}: {harmless(why)}" for model, why in opinion.unseen)
    yield from (f"  note      {harmless(note)}" for note in scratch.notes)
    if says != "the same":
        both = f"old code {migrations.OLD_CODE[old_code]}, going back {migrations.ROLLBACK[rollback]}"
        yield f"  {paint('bold', 'together')}  {both}"


def _failures(failures: list[Failure]) -> Iterator[str]:
    """Yield each thing that failed; the same words about one model are told once.

    What is not of every day is left out where the ordinary fails with the same words.
    """
    ordinary = {(one.model, one.words) for one in failures if one.is_ordinary}
    told: dict[tuple[str, str], list[str]] = {}
    for one in failures:
        if (one.model, one.words) in ordinary and not one.is_ordinary:
            continue
        told.setdefault((one.model, one.words), []).append(one.action)
    for (model, words), actions in list(told.items())[:_MOST]:
        yield f"            {harmless(model)}: {', '.join(actions)}"
        yield f"              {harmless(words)}"
    if len(told) > _MOST:
        yield f"            and {len(told) - _MOST} more (--json has them all)"
