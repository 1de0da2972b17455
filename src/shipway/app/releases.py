"""The list of releases, from the ledger of the primary host and the disks of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
    deploys = _deploys(facts.primary.records)
    on_disk = [release for host in facts.hosts for release in host.releases]
    return tuple(
        _row(release, deploys.get(release, _Deploy()), facts, serving)
        for release in reversed(by_number([*deploys, *on_disk]))
    )


@dataclass(frozen=True, slots=True)
class _Deploy:
    """The run that made a release: its first line, its last, and what both and those between tell."""

    begin: Record | None = None
    detail: Mapping[str, str | int | float] = field(default_factory=dict)

    def text(self, key: str) -> str:
        return str(self.detail.get(key, ""))


def _row(release: str, deploy: _Deploy, facts: Facts, serving: str) -> ReleaseRow:
    took = deploy.detail.get("took_s", 0.0)
    return ReleaseRow(
        release=release,
        version=deploy.text("version"),
        at=deploy.begin.at if deploy.begin else "",
        who=deploy.text("who"),
        outcome=deploy.text("outcome"),
        is_serving=release == serving,
        kept_on=tuple(host.host for host in facts.hosts if release in host.releases),
        took_s=float(took) if isinstance(took, int | float) else 0.0,
        migrations="; ".join(filter(None, (deploy.text(key) for key in ("before", "window", "after")))),
        verified=deploy.text("verified"),
    )


def _deploys(records: Iterable[Record]) -> dict[str, _Deploy]:
    """Return by release what its deploy wrote, not what a rollback to it did.

    A written script that was taken back may be run again, with the same release: its last run counts. A verification
    that was asked for later is written with the run of the release, too: its last answer counts.
    """
    runs: dict[str, _Deploy] = {}
    found: dict[str, str] = {}
    for record in records:
        if record.kind == "run.begin" and record.detail.get("verb") in ("deploy", "redeploy", "setup"):
            runs[record.run] = _Deploy(record, record.detail)
            found[str(record.detail.get("release", ""))] = record.run
        elif record.run in runs and (record.kind in ("run.extended", "run.end") or "verified" in record.detail):
            known = runs[record.run]
            runs[record.run] = _Deploy(known.begin, {**known.detail, **record.detail})
    return {release: runs[run] for release, run in found.items()}
