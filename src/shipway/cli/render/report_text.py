"""The report of a run for a terminal."""

from __future__ import annotations

from shipway.app.story import Story
from shipway.cli.render.tables import fields, table
from shipway.cli.render.text import Paint, duration, harmless


def render_report_text(story: Story, paint: Paint) -> str:
    """Return what happened, host by host."""
    head = fields(
        (
            ("run", story.run),
            ("what", f"{story.verb} {story.release}".strip() + (f" over {story.base}" if story.base else "")),
            ("version", story.version),
            ("by", f"{story.who} from {story.origin}" if story.origin else story.who),
            ("began", story.begun),
            ("took", duration(story.took_s) if story.took_s else ""),
            ("outcome", story.outcome or "never ended"),
            ("verified", story.verified),
            *((f"migrations {harmless(when)}", names) for when, names in (story.migrations or {}).items()),
        )
    )
    rows = [
        (step.host, step.state, f"{step.from_s:g} s", duration(step.took_s) if step.took_s else "", step.title)
        for step in story.steps
        if step.begun
    ]
    blocks = [head, table(("HOST", "STATE", "FROM", "TOOK", "STEP"), rows, paint) if rows else ""]
    blocks += [
        f"{harmless(f'{step.title} on {step.host}')}:\n{harmless(step.said)}" for step in story.steps if step.said
    ]
    notes = [(note.at, note.host, note.what, note.who, note.text) for note in story.notes]
    blocks.append(table(("AT", "HOST", "NOTED", "BY", "SAID"), notes, paint) if notes else "")
    return "\n\n".join(block for block in blocks if block)
