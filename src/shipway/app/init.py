"""Write the files that a project needs to be deployed. What exists is kept, and shown beside what would be written."""

from __future__ import annotations

import difflib
import secrets as entropy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from shipway.adapters.new_files import NO_TEXT, NewFile, read_exactly, write_files
from shipway.adapters.tree import DirectoryTree
from shipway.app.inspect import directory_of, refuse_nothing
from shipway.core.errors import Finding
from shipway.django.tree import Sources
from shipway.scaffold.files import Draft, Drafts, draft_files
from shipway.scaffold.questions import Name, Question, answered, open_questions
from shipway.scaffold.subject import Subject, Wishes, check_wishes, read_subject

State = Literal["new", "adds", "same", "kept"]
CONFIG, OTHER_CONFIG, STUB = "config/deploy.yml", "deploy.yml", ".kamal/secrets"
_KEY_BYTES = 50  # as Django's own get_random_secret_key has characters; 400 bits


@dataclass(frozen=True, slots=True)
class Change:
    """A file: whether it is new, gets lines more, is there already, or is kept as it is although it differs.

    `diff` leads from what is there to what would be written; "" for a file with a secret.
    """

    path: str
    state: State
    why: str
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What init would do. `offer` is the code of a health view and where it goes; "" for none."""

    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    files: tuple[NewFile, ...]
    offer: str
    runtime: str


class Init:
    """One call of init: a project that is read once, and what the user wishes."""

    def __init__(self, directory: str, wishes: Wishes) -> None:
        """Read the project. Raises ConfigError `inspect.no_directory`, `inspect.no_project`, `init.odd_name`."""
        place = directory_of(directory, "init")
        self.directory = place.resolve()
        self.subject: Subject = read_subject(Sources(DirectoryTree(place)), wishes, self.directory.name)
        refuse_nothing(self.subject.found, place, "init")

    def questions(self) -> tuple[Question, ...]:
        """Return what is still to be asked. Nothing is, where the configuration exists already."""
        has_config = any((self.directory / name).exists() for name in (CONFIG, OTHER_CONFIG))
        return () if has_config else open_questions(self.subject)

    def answer(self, name: Name, answer: str | bool) -> None:  # noqa: FBT001  yes or no is what was answered
        """Take an answer. Raises UsageError for one that cannot be."""
        wishes = answered(self.subject.wishes, name, answer)
        check_wishes(wishes)
        self.subject = replace(self.subject, wishes=wishes)

    def propose(self, *, with_secrets: bool = False) -> Proposal:
        """Return what would be written. `with_secrets`: also the files with random secrets that the stub names."""
        drafts = draft_files(self.subject)
        has_other = (self.directory / OTHER_CONFIG).exists() and not (self.directory / CONFIG).exists()
        found = [replace(one, path=OTHER_CONFIG) if has_other and one.path == CONFIG else one for one in drafts.files]
        pairs = [self._compare(draft) for draft in found]
        if any(change.path in (CONFIG, OTHER_CONFIG) and change.state == "kept" for change, _ in pairs):
            # The stub names the secrets of our configuration, not of the one that is there.
            pairs = [pair for pair in pairs if pair[0].path != STUB]
        elif with_secrets:
            pairs += [self._secret(path) for path in drafts.made_secrets]
        changes, files = zip(*pairs, strict=True)
        written = tuple(file for file in files if file is not None)
        return Proposal(tuple(changes), drafts.findings, written, _offer(drafts, changes), self.subject.wishes.runtime)

    def write(self, proposal: Proposal) -> None:
        """Write what was proposed: all of it, or nothing. Raises ConfigError."""
        write_files(self.directory, proposal.files)

    def _compare(self, draft: Draft) -> tuple[Change, NewFile | None]:
        change, file = compare(self.directory, draft)
        if change.state == "kept" and draft.adds:
            there = read_exactly(self.directory, draft.path)
            if there == self.subject.sources.text(draft.path):
                return replace(change, state="adds"), NewFile(draft.path, draft.text, replaces=there)
        return change, file

    def _secret(self, path: str) -> tuple[Change, NewFile | None]:
        why = "a random secret"
        if read_exactly(self.directory, path) is not None:
            return Change(path, "same", why), None
        return Change(path, "new", why), NewFile(path, f"{entropy.token_urlsafe(_KEY_BYTES)}\n", mode=0o600)


def compare(directory: Path, draft: Draft) -> tuple[Change, NewFile | None]:
    """Return what becomes of a file that is new or stays as it is, and what is to be written of it."""
    there = read_exactly(directory, draft.path)
    if there == draft.text:
        return Change(draft.path, "same", draft.why), None
    diff = _diff(draft.path, there, draft.text)
    if there is None:
        return Change(draft.path, "new", draft.why, diff), NewFile(draft.path, draft.text)
    return Change(draft.path, "kept", draft.why, diff), None


def _diff(path: str, there: str | None, text: str) -> str:
    old = [] if there in (None, NO_TEXT) else (there or "").splitlines(keepends=True)
    start = "/dev/null" if there is None else f"a/{path}"
    lines = difflib.unified_diff(old, text.splitlines(keepends=True), start, f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _offer(drafts: Drafts, changes: Sequence[Change]) -> str:
    """Return a health view that is not written, as text: where it goes, and the lines."""
    view = drafts.health
    if view is None or any(change.path == view.path for change in changes):
        return ""
    from shipway.scaffold.health import VIEW

    return f"# {view.path}\n{VIEW}\n# and in {view.urls_path}\n{view.lines}"


def init_document(proposal: Proposal, *, has_written: bool) -> dict[str, object]:
    """Return the answer for programs: files with their state and diff, findings, the health view on offer."""
    return {
        "written": has_written and bool(proposal.files),
        "files": [{"path": one.path, "state": one.state, "why": one.why, "diff": one.diff} for one in proposal.changes],
        "findings": [
            {"code": one.code, "level": one.level, "what": one.what, "where": one.where, "next": one.next}
            for one in proposal.findings
        ],
        "health_view": proposal.offer or None,
    }
