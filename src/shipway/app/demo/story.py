"""The acts of `shipway demo` as data: what is told, what is done, and what must hold afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from shipway.app.demo.report import Row
from shipway.core.errors import Exit

Do = Literal["deploy", "rollback", "watch"]
"""`watch`: nothing but the traffic for a moment, to know what is usual."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a use case of the app layer came to: its exit code, the release it made or went back to, its error."""

    exit: Exit
    release: str = ""
    took_s: float = 0.0
    error_code: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """The site from outside: the release that answers, and the heading of its list page."""

    release: str = ""
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a claim judges: one act's outcome, the site before and after it, and the requests of its phase.

    `earlier` is the site after each earlier act, by the act's name.
    """

    outcome: Outcome
    before: Seen
    after: Seen
    row: Row | None = None
    earlier: Mapping[str, Seen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """`words` say what is claimed; `judge` says what was found instead ("": the claim holds)."""

    words: str
    judge: Callable[[Evidence], str]


@dataclass(frozen=True, slots=True)
class Act:
    """One act. `name` is also the traffic's phase; `version`, of `project.VERSIONS`, is committed before a deploy."""

    name: str
    title: str
    words: str
    do: Do
    claims: tuple[Claim, ...]
    version: str = ""
    is_under_load: bool = True


def ends_with(code: Exit) -> Claim:
    """Claim the exit code of the verb."""

    def judge(evidence: Evidence) -> str:
        outcome = evidence.outcome
        if outcome.exit is code:
            return ""
        return f"exit code {int(outcome.exit)}: {outcome.error_code} {outcome.what}".rstrip(": ")

    words = {Exit.OK: "the command says that all went well", Exit.UNDONE: "the command says that it took all back"}
    return Claim(f"{words.get(code, 'the command ends as it should')} (exit code {int(code)})", judge)


def shows(heading: str) -> Claim:
    """Claim that visitors read `heading`."""

    def judge(evidence: Evidence) -> str:
        return "" if evidence.after.heading == heading else f"visitors read “{evidence.after.heading}”"

    return Claim(f"visitors read “{heading}”", judge)


def _lost_nothing(evidence: Evidence) -> str:
    row = evidence.row
    if row is None or not row.count:
        return "there was no request"
    return "" if row.is_clean else f"{row.failed} of {row.count} failed, {row.retried} were retried"


def _is_new(evidence: Evidence) -> str:
    after = evidence.after.release
    is_new = after and after != evidence.before.release and after == evidence.outcome.release
    return "" if is_new else f"{after or 'nothing'} answers"


def _is_same(evidence: Evidence) -> str:
    others = [name for name in evidence.row.releases if name != evidence.before.release] if evidence.row else []
    if evidence.after.release != evidence.before.release or others:
        return f"{' '.join(others) or evidence.after.release or 'nothing'} answered"
    return "" if evidence.before.release else "nothing answered"


LOST_NOTHING = Claim("no request failed, and no browser had to try twice", _lost_nothing)
NEW_SERVES = Claim("the new release answers", _is_new)
OLD_SERVES = Claim("the old release answered all the time, and answers", _is_same)


def serves_again(act: str) -> Claim:
    """Claim that the release answers which answered after the act named `act`."""

    def judge(evidence: Evidence) -> str:
        wanted, found = evidence.earlier.get(act, Seen()).release, evidence.after.release
        return "" if wanted and wanted == found else f"{found or 'nothing'} answers, not {wanted or 'it'}"

    return Claim("the earlier release answers again", judge)


ACTS: tuple[Act, ...] = (
    Act(
        name="first",
        title="Deploy a Django project",
        words="A new server: a virtualenv, migrations, static files, web, worker and scheduler processes, the proxy.",
        do="deploy",
        version="first",
        is_under_load=False,
        claims=(ends_with(Exit.OK), NEW_SERVES, shows("Ships in port")),
    ),
    Act(
        name="watch",
        title="Visitors come",
        words="Kept and new connections, forms, uploads, slow pages, static files; and a WebSocket of another service.",
        do="watch",
        claims=(LOST_NOTHING, OLD_SERVES),
    ),
    Act(
        name="second",
        title="Deploy a second version while they are there",
        words="A new column, a new page, changed styles. The old release ends when its last request has.",
        do="deploy",
        version="crew",
        claims=(ends_with(Exit.OK), NEW_SERVES, shows("Ships and crews in port"), LOST_NOTHING),
    ),
    Act(
        name="unhealthy",
        title="Deploy a version that does not work",
        words="Its health check reads a setting that nobody made. It never gets a visitor.",
        do="deploy",
        version="unhealthy",
        claims=(ends_with(Exit.UNDONE), OLD_SERVES, shows("Ships and crews in port"), LOST_NOTHING),
    ),
    Act(
        name="migrated",
        title="Deploy a version that migrates the database and does not work then",
        words="Its migration only adds, so the old release keeps working on the new tables.",
        do="deploy",
        version="pilots",
        claims=(ends_with(Exit.UNDONE), OLD_SERVES, shows("Ships and crews in port"), LOST_NOTHING),
    ),
    Act(
        name="back",
        title="Roll back",
        words="The release before is still there: start it, switch to it, stop the other.",
        do="rollback",
        claims=(ends_with(Exit.OK), serves_again("first"), shows("Ships in port"), LOST_NOTHING),
    ),
)

WHERE_NEXT: tuple[tuple[str, str], ...] = (
    ("shipway plan deploy -v", "shows every command that a deploy would run, and runs none"),
    ("shipway releases", "what was put on the servers, and what became of it"),
    ("shipway audit", "who did what and when, and how it ended"),
    ("shipway config", "the configuration as it is understood"),
)
"""Where to look next: a command, and what it shows. With `--keep` they can be run in the demo's project."""
