"""What differs between two releases, for a person and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from shipway.app.diff import Compared
from shipway.cli.render.text import Paint, harmless
from shipway.django.difference import Change, Difference

_MB = 1_000_000


def render_diff(found: Compared, paint: Paint) -> str:
    """Return what differs, a block each; what is the same is not named."""
    head = f"{found.before} ({_version(found.versions[0])}) → {found.after} ({_version(found.versions[1])})"
    blocks = [[paint("bold", head)], *_commits(found, paint)]
    if found.difference is not None:
        blocks += difference_blocks(found.difference, paint)
    if (size := _sizes(found)) is not None:
        blocks.append([size])
    blocks.append([f"not compared: {harmless(one)}" for one in found.unknown])
    if len([block for block in blocks if block]) == 1:
        blocks.append(["nothing differs"])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def difference_blocks(what: Difference, paint: Paint) -> list[list[str]]:
    """Return what differs as blocks of lines, each with its heading."""
    named: tuple[tuple[str, Sequence[Change]], ...] = (
        ("Versions", what.versions),
        ("Packages", what.packages),
        ("Migrations", what.migrations),
        ("Tasks", what.tasks),
        ("Settings", what.settings),
        ("Environment (names)", what.environment or ()),
    )
    return [[paint("bold", name), *(_line(one, paint) for one in changes)] for name, changes in named if changes]


def _version(version: str) -> str:
    return version[:12] or "version not known"


def _commits(found: Compared, paint: Paint) -> Iterator[list[str]]:
    for name, mark, commits in ((found.after, "+", found.commits), (found.before, "-", found.gone)):
        if commits:
            title = f"Commits that only {name} has ({len(commits)})"
            yield [paint("bold", title), *(f"  {mark} {harmless(line)}" for line in commits)]


def _line(change: Change, paint: Paint) -> str:
    name, before, after = (harmless(text) for text in (change.name, change.before, change.after))
    if not before:
        return f"  {paint('green', '+')} {name}" + ("" if after in ("there", "set") else f" {after}")
    if not after:
        return f"  {paint('red', '-')} {name}" + ("" if before in ("there", "set") else f" {before}")
    return f"  {paint('yellow', '~')} {name}: {before} → {after}"


def _sizes(found: Compared) -> str | None:
    before, after = found.sizes_bytes
    if before < 0 or after < 0 or before == after:
        return None
    return f"Size: {before / _MB:.1f} MB → {after / _MB:.1f} MB ({(after - before) / _MB:+.1f} MB)"


def diff_document(found: Compared) -> dict[str, object]:
    """Return the same for programs."""
    return asdict(found)
