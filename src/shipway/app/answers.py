"""What use cases answer: plain values, which `cli/render` turns into text and `--json` into documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipway.core.chain import Checked
from shipway.core.here import HereStage
from shipway.core.step import Plan


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stage. `start_s` is the part in which the application itself was starting, on the slowest host."""

    title: str
    took_s: float
    start_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Serving:
    """One release of one role alive on one host. `is_live`: the proxy of the host sends the traffic to it."""

    host: str
    role: str
    release: str
    version: str = ""
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended. `outcome` is done, undone, mixed, or nothing (there was nothing to do)."""

    verb: str
    run: str
    outcome: str
    release: str
    version: str
    base: str
    took_s: float = 0.0
    serving: tuple[Serving, ...] = ()
    stages: tuple[StageTime, ...] = ()
    notes: tuple[str, ...] = ()
    next: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan, and the ids of its steps that are true already. `here` is what runs on this machine before it.

    `approval` is the fingerprint that people approve ("" where nobody must), `approved` who did.
    """

    plan: Plan
    true_already: frozenset[str]
    here: tuple[HereStage, ...] = ()
    approval: str = ""
    approved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host. `error` says why it could not be asked; everything else is empty then.

    `has_proxy`: a role of it takes public traffic, so that its proxy should be up.
    """

    host: str
    error: str = ""
    is_keeper_up: bool = False
    has_proxy: bool = False
    is_proxy_up: bool = False
    is_in_maintenance: bool = False
    free_bytes: int = -1
    units: tuple[Serving, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a service. `release` serves ("": nothing does); `lock`, `hold`, `open_run`: sentences, or ""."""

    service: str
    destination: str
    release: str
    version: str
    hosts: tuple[HostStatus, ...]
    lock: str = ""
    hold: str = ""
    open_run: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release: when and by whom it was deployed, how that ended, and where it is kept.

    `migrations` names those that ran with it, `verified` says how its verification ended ("": there was none).
    """

    release: str
    version: str
    at: str
    who: str
    outcome: str
    is_serving: bool = False
    kept_on: tuple[str, ...] = ()
    took_s: float = 0.0
    migrations: str = ""
    verified: str = ""


@dataclass(frozen=True, slots=True)
class WayBackRow:
    """One release that could be gone back to: allowed, warn or refused, and what is in the way or may fail."""

    release: str
    version: str
    at: str
    verdict: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One run, or one note. `outcome` is "" for a run that was never ended."""

    at: str
    who: str
    origin: str
    what: str
    outcome: str = ""
    took_s: float = 0.0
    run: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """Whether the ledger of a host, a file there, is what was written."""

    host: str
    file: str
    checked: Checked


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command answered on one host. `is_cut`: there was more output than is kept."""

    host: str
    role: str
    release: str
    status: int
    stdout: str = ""
    stderr: str = ""
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class LockView:
    """The lock: nobody holds it, or somebody does. `detail` has the holder's own words (who, since, from, run)."""

    is_held: bool
    sentence: str
    detail: Mapping[str, str]
