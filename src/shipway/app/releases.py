"""The list of releases, from the ledger of the primary host and the disks of all."""

from __future__ import annotations

from collections.abc import Iterable

from shipway.app.answers import ReleaseRow
from shipway.app.call import Caller, Choice
from shipway.app.context import open_context
from shipway.core.facts import Facts
from shipway.core.record import Record
from shipway.planning.history import base_release, by_number
from shipway.planning.site import Site


async def releases(choice: Choice, caller: Caller) -> tuple[ReleaseRow, ...]:
    """Return every release that the ledger or a host knows, newest first."""
    async with open_context(choice, caller) as context:
        return release_rows(context.site, await context.observe())


def release_rows(site: Site, facts: Facts) -> tuple[ReleaseRow, ...]:
    """Return the releases that `facts` tell of, newest first."""
    serving = base_release(site, facts)
    begun = _deploys(facts.primary.records)
    outcomes = {r.run: str(r.detail.get("outcome", "")) for r in facts.primary.records if r.kind == "run.end"}
    on_disk = [release for host in facts.hosts for release in host.releases]
    return tuple(
        _row(release, begun.get(release), outcomes, facts, serving)
        for release in reversed(by_number([*begun, *on_disk]))
    )


def _row(release: str, begin: Record | None, outcomes: dict[str, str], facts: Facts, serving: str) -> ReleaseRow:
    detail = begin.detail if begin else {}
    return ReleaseRow(
        release=release,
        version=str(detail.get("version", "")),
        at=begin.at if begin else "",
        who=str(detail.get("who", "")),
        outcome=outcomes.get(begin.run, "") if begin else "",
        is_serving=release == serving,
        kept_on=tuple(host.host for host in facts.hosts if release in host.releases),
    )


def _deploys(records: Iterable[Record]) -> dict[str, Record]:
    """Return the line that began each release: that of its deploy, not that of a rollback to it.

    A written script that was taken back may be run again, with the same release: its last run counts.
    """
    found: dict[str, Record] = {}
    for record in records:
        if record.kind == "run.begin" and record.detail.get("verb") in ("deploy", "redeploy"):
            found[str(record.detail.get("release", ""))] = record
    return found
