"""The report of a run as one page of HTML: it loads nothing, runs nothing, and prints well.

Whatever came from a host, a ledger or a configuration is text here: it goes through `_text`, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from shipway.app.story import Story, StoryStep
from shipway.cli.render.report_style import STYLE
from shipway.cli.render.text import duration, harmless

_MARKS = {
    "done": "good",
    "true already": "calm",
    "failed": "bad",
    "taken back": "back",
    "being taken back": "bad",
    "failed, taken back": "bad",
    "not taken back": "bad",
    "begun": "warn",
    "not begun": "calm",
}
_OUTCOMES = {
    "done": ("good", "done"),
    "undone": ("back", "taken back: what served before went on serving"),
    "mixed": ("bad", "not finished: it is to be settled"),
    "abandoned": ("bad", "given up"),
    "": ("warn", "never ended"),
}
_MIGRATIONS = {"before": "before the switch", "window": "while the site was closed", "after": "after the old release"}


def render_report_html(story: Story) -> str:
    """Return the page."""
    title = f"{story.verb} {story.release}".strip() + f" · {story.service}"
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{_text(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        *_head(story),
        *_migrations(story),
        *_timeline(story),
        *_notes(story),
        *_steps(story),
        "<footer>Times are UTC by the clock of each host; a ledger has whole seconds.</footer>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _text(value: object) -> str:
    return escape(harmless(str(value)), quote=True)


def _head(story: Story) -> Iterator[str]:
    colour, said = _OUTCOMES.get(story.outcome, ("warn", story.outcome))
    badge = f'<span class="badge {colour}">{_text(said)}</span>'
    yield f"<header><h1>{_text(story.verb)} {_text(story.release)} {badge}</h1>"
    rows = (
        ("service", story.service + (f" ({story.destination})" if story.destination else "")),
        ("version", story.version),
        ("over", story.base),
        ("by", f"{story.who} from {story.origin}" if story.origin else story.who),
        ("began", story.begun),
        ("ended", story.ended),
        ("took", duration(story.took_s) if story.took_s else ""),
        ("verified", story.verified),
        ("run", story.run),
    )
    yield "<dl>"
    yield from (f"<div><dt>{name}</dt><dd>{_text(value)}</dd></div>" for name, value in rows if value)
    yield "</dl></header>"


def _migrations(story: Story) -> Iterator[str]:
    yield "<section><h2>Migrations</h2>"
    if story.migrations is None:
        yield "<p>The run ended before it was known, or has none to run.</p>"
    elif not story.migrations:
        yield "<p>None were pending.</p>"
    else:
        rows = [(_MIGRATIONS.get(when, when), names) for when, names in story.migrations.items()]
        yield from _table(("when", "which"), rows)
    yield "</section>"


def _timeline(story: Story) -> Iterator[str]:
    """Yield a lane for each host, with a bar for each step that ran; its title says the rest."""
    ran = [step for step in story.steps if step.begun]
    if not ran:
        return
    whole_s = max(1.0, story.took_s, *(step.from_s + step.took_s for step in ran))
    yield f'<section><h2>Timeline</h2><p class="axis"><span>0 s</span><span>{duration(whole_s)}</span></p>'
    for host in story.hosts:
        yield f'<div class="lane"><h3>{_text(host)}</h3><div class="bars">'
        for step in (one for one in ran if one.host == host):
            yield _bar(step, whole_s)
        yield "</div></div>"
    yield "</section>"


def _bar(step: StoryStep, whole_s: float) -> str:
    left, width = 100 * step.from_s / whole_s, 100 * step.took_s / whole_s
    about = f"{step.title}: {step.state}, from {step.from_s:g} s on, {duration(step.took_s)}"
    place = f"margin-left:{min(left, 99.5):.2f}%;width:{min(width, 100 - left):.2f}%"
    return (
        f'<div class="bar" title="{_text(about)}"><i class="{_MARKS.get(step.state, "calm")}" style="{place}"></i>'
        f"<span>{_text(step.title)}</span></div>"
    )


def _notes(story: Story) -> Iterator[str]:
    if not story.notes:
        return
    yield "<section><h2>Noted</h2>"
    rows = [(one.at, one.host, one.what, one.who, one.text) for one in story.notes]
    yield from _table(("at", "host", "what", "by", "said"), rows)
    yield "</section>"


def _steps(story: Story) -> Iterator[str]:
    yield "<section><h2>Steps</h2>"
    if not story.is_known:
        yield "<p>The stored plan of this run is gone, so its steps have the names of the ledger.</p>"
    for stage in dict.fromkeys(step.stage for step in story.steps):
        yield f"<h3>{_text(stage)}</h3>" if stage else ""
        headings = "".join(f"<th>{name}</th>" for name in ("host", "step", "state", "began", "took"))
        yield f"<table><thead><tr>{headings}</tr></thead><tbody>"
        for step in (one for one in story.steps if one.stage == stage):
            yield from _row(step)
        yield "</tbody></table>"
    yield "</section>"


def _row(step: StoryStep) -> Iterator[str]:
    took = duration(step.took_s) if step.begun and step.state != "true already" else ""
    state = f'<span class="badge {_MARKS.get(step.state, "calm")}">{_text(step.state)}</span>'
    cells = (_text(step.host), _text(step.title), state, _text(step.begun), took)
    yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    if step.said:
        yield f'<tr><td></td><td colspan="4"><pre>{_text(step.said)}</pre></td></tr>'


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "<table><thead><tr>" + "".join(f"<th>{_text(one)}</th>" for one in headings) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>"
    yield "</tbody></table>"
