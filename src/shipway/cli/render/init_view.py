"""What `init` would write or has written, for a person."""

from __future__ import annotations

from shipway.app.init import Proposal
from shipway.cli.render.text import Paint, harmless

_WORDS = {"new": "write", "adds": "add to", "same": "there", "kept": "keep"}
_NOTES = {"same": "as it should be", "kept": "yours; --diff shows what init would write"}
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def files_view(proposal: Proposal, paint: Paint) -> str:
    """Return a line for each file."""
    width = max(len(one.path) for one in proposal.changes)
    lines = []
    for one in proposal.changes:
        word = _WORDS[one.state].ljust(6)
        coloured = paint("green", word) if one.state in ("new", "adds") else paint("dim", word)
        lines.append(f"{coloured}  {harmless(one.path).ljust(width)}  {_NOTES.get(one.state, one.why)}")
    return "\n".join(lines)


def findings_view(proposal: Proposal, paint: Paint) -> str:
    """Return the findings, and the health view that is offered."""
    lines = []
    for one in proposal.findings:
        level = paint("yellow" if one.level == "warning" else "cyan", f"{one.level}[{one.code}]")
        lines.append(f"{level}: {harmless(one.what)}")
        lines += [f"  {name}  {harmless(text)}" for name, text in (("where", one.where), ("next ", one.next)) if text]
    if proposal.offer:
        lines += ["", "A health view, if you want it (`shipway init --health` writes it):", ""]
        lines += [f"    {line}".rstrip() for line in harmless(proposal.offer).splitlines()]
    return "\n".join(lines)


def diff_view(proposal: Proposal, paint: Paint) -> str:
    """Return the diffs of all files, those that are kept too."""
    lines = [line for one in proposal.changes for line in harmless(one.diff).splitlines()]
    return "\n".join(paint(_COLOURS[line[0]], line) if line[:1] in _COLOURS else line for line in lines)


def next_view(proposal: Proposal) -> str:
    """Return what to do next."""
    if not proposal.files:
        return "nothing to write: every file is there"
    first = "shipway setup" if proposal.runtime == "docker" else "shipway plan deploy"
    return f"next  look the files over; then git add and commit them, and `{first}`"
