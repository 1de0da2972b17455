"""How the processes of a service are on a host: what its engine, its keeper and its kernel know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vital:
    """One unit, running or not. `name` is that of its container or program.

    `pid` and `pids` are its processes as the host numbers them. `started_at` is when its first process began, in
    seconds since 1970 by the clock of the host (0: unknown), `restarts` how often its engine or keeper has started it
    again since it was told to run it (-1: it does not count). `oom_kills` are processes that were killed since then for
    lack of memory, `memory_bytes` is what it uses now without the cache of files, `limit_bytes` what it may use (-1:
    unknown, 0: no limit). `said` is why one that does not run ended.
    """

    role: str
    release: str
    name: str = ""
    machine: str = ""
    is_running: bool = False
    pid: int = 0
    pids: tuple[int, ...] = ()
    started_at: float = 0.0
    restarts: int = -1
    oom_kills: int = -1
    memory_bytes: int = -1
    limit_bytes: int = -1
    said: str = ""


@dataclass(frozen=True, slots=True)
class HostVitals:
    """All units of a service on a host, and its processes that were looked for.

    `machine` is the host's own name for itself, `booted_at` when its kernel began, `now` its time. `watched` are (what
    it is, the unit that it belongs to, or "" for a process that no unit started).
    """

    machine: str = ""
    units: tuple[Vital, ...] = ()
    watched: tuple[tuple[str, str], ...] = ()
    now: float = 0.0
    booted_at: float = 0.0

    def of(self, role: str, release: str) -> Vital | None:
        """Return the unit of a role and release, None where there is none."""
        found = [one for one in self.units if (one.role, one.release) == (role, release)]
        return max(found, key=lambda one: one.is_running, default=None)
