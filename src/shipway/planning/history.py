"""What the facts tell about releases: which one serves, which were good, which number comes next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from shipway.core.facts import Facts, HostFacts
from shipway.core.record import Record
from shipway.core.unit import KAMAL
from shipway.planning.site import Site

_RELEASE = re.compile(r"r([1-9][0-9]{0,8})")


def release_number(release: str) -> int:
    """Return 12 for `r12`, and 0 for anything that is no release name."""
    match = _RELEASE.fullmatch(release)
    return int(match[1]) if match else 0


def by_number(releases: Iterable[str]) -> tuple[str, ...]:
    """Return the release names among `releases`, without repeats, oldest first."""
    return tuple(sorted({r for r in releases if release_number(r)}, key=release_number))


def is_kamals(release: str) -> bool:
    """Return whether a release was made by Kamal: its name is then `kamal-` and the version."""
    return release.startswith(KAMAL)


def in_order(releases: Iterable[str]) -> tuple[str, ...]:
    """Return the releases among `releases`, without repeats, oldest first: Kamal's, then ours."""
    found = set(releases)
    return (*sorted(filter(is_kamals, found)), *by_number(found))


def next_release(facts: Facts) -> str:
    """Return the name of the release that comes after every one that any host or ledger knows, served or failed."""
    known = [str(record.detail.get("release", "")) for host in facts.hosts for record in host.records]
    for host in facts.hosts:
        known += [*host.releases, *host.leftovers, *(release for _, release in host.running)]
    return f"r{max((release_number(r) for r in known), default=0) + 1}"


def serving_on(site: Site, host: HostFacts) -> dict[str, str]:
    """Return, for each proxied role of a host that has an address, the release behind it ("" when it is unknown)."""
    known = in_order([*host.releases, *host.leftovers, *(release for _, release in host.running)])
    runtime = site.target(host.host).runtime
    return {
        role: next((r for r in known if runtime.endpoint(site.unit(role, host.host, r)) == address), "")
        for role, address in live_on(site, host).items()
    }


def live_on(site: Site, host: HostFacts) -> Mapping[str, str]:
    """Return where the traffic of each proxied role goes: the address behind our proxy, or behind Kamal's."""
    if not host.predecessor:
        return host.live
    runtime = site.target(host.host).runtime
    proxied = {role.name for role in site.roles if role.proxied}
    units = (site.unit(role, host.host, release) for role, release in host.running if is_kamals(release))
    return {unit.role: runtime.endpoint(unit) for unit in units if unit.role in proxied}


def base_release(site: Site, facts: Facts) -> str:
    """Return the release that serves: what the primary's proxy sends to, or else the newest that runs anywhere.

    Returns "" when nothing serves.
    """
    for host in facts.hosts:
        found = in_order(serving_on(site, host).values())
        if found:
            return found[-1]
    if any(role.proxied for role in site.roles):
        return ""
    return (in_order(release for host in facts.hosts for _, release in host.running) or ("",))[-1]


def version_of(release: str, records: Sequence[Record]) -> str:
    """Return the version (commit) that `release` was built from, as its own run noted it; "" when none did."""
    if is_kamals(release):
        return release.removeprefix(KAMAL)
    for record in records:
        if record.kind == "run.begin" and record.detail.get("release") == release:
            return str(record.detail.get("version", ""))
    return ""


def good_releases(records: Sequence[Record]) -> tuple[str, ...]:
    """Return the releases that came to serve and were not rolled back from, the latest to serve last."""
    good: list[str] = []
    for record in records:
        if record.kind != "run.end" or record.detail.get("outcome") != "done":
            continue
        verb, release = record.detail.get("verb"), str(record.detail.get("release", ""))
        if verb not in ("deploy", "redeploy", "rollback") or not release:
            continue
        base = str(record.detail.get("base", ""))
        if is_kamals(base) and verb != "rollback" and base not in good:
            good = [base]  # what served when Shipway took over; no run of ours tells of it
        dropped = {release, base} if verb == "rollback" else {release}
        good = [r for r in good if r not in dropped] + [release]
    return tuple(good)


def last_good_run(records: Sequence[Record]) -> str:
    """Return the id of the last run that changed something and ended well, "" for none, or when one is open since.

    A run that was taken back has left what was there before.
    """
    found, is_open = "", ""
    for record in records:
        if record.kind == "run.begin":
            is_open = record.run
        elif record.kind == "run.end" and record.detail.get("outcome") != "mixed":
            is_open = ""
            found = record.run if record.detail.get("outcome") == "done" else found
    return "" if is_open else found


def last_good(records: Sequence[Record], base: str, available: Iterable[str]) -> str:
    """Return the release that a rollback without a name goes to, or "" when there is none.

    It is the latest to have served, other than `base`, that is whole on every host. Releases that were rolled back
    from do not count.
    """
    have = set(available)
    return next((r for r in reversed(good_releases(records)) if r != base and r in have), "")


def whole_everywhere(facts: Facts) -> frozenset[str]:
    """Return the releases that are whole on every host."""
    sets = [frozenset(host.releases) for host in facts.hosts]
    return frozenset.intersection(*sets) if sets else frozenset()
