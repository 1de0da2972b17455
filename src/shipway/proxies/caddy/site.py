"""How Caddy runs on a host (`CaddyRun`), and what keeps it running there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shipway.core.action import Action, Command
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.step import Step


@dataclass(frozen=True, slots=True)
class Keep:
    """What keeps Caddy running on a host, as values: nothing (detached), a keeper of processes, or a container.

    `tool`: the words that run Caddy once, before its arguments (`validate …`). `before`: steps that the host needs
    first (an image). `start` makes it run, in place of one that was run in another way; `stop` ends it and whatever
    would start it again. `replace` and `restore`, with the name of another tool's proxy for a last word, put Caddy in
    its place and take that back. `log` prints the end of what it said, `logs` what is asked of it (None: it is a file).
    A container has a name, and a `definition` that changes with the way it is run; elsewhere that is a file which
    stands while the keeper keeps it.
    """

    tool: tuple[str, ...] = ("caddy",)
    before: tuple[Step, ...] = ()
    start: tuple[Action, ...] = ()
    stop: tuple[Command, ...] = ()
    replace: tuple[Command, ...] = ()
    restore: tuple[Command, ...] = ()
    log: tuple[str, ...] = ()
    logs: Callable[[LogsAsked], Command] | None = None
    container: str = ""
    definition: str = ""


@dataclass(frozen=True, slots=True)
class CaddyRun:
    """How Caddy runs on the host, as the user that deploys: the same for all services, or the second one is refused.

    `bind_ips`: none means all addresses. `publish` off: a container's ports are not opened on the host.
    `metrics_port` 0: no metrics.
    """

    http_port: int = 80
    https_port: int = 443
    bind_ips: tuple[str, ...] = ()
    publish: bool = True
    metrics_port: int = 0
    debug: bool = False
    python: str = "python3"
    keep: Keep = Keep()


@dataclass(frozen=True, slots=True)
class CaddyProgram:
    """Caddy as a program for a keeper of processes. It reloads without a restart and ends softly on `stop_signal`."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    directory: str
    log: str
    stop_signal: str = "TERM"
    stop_s: float = 40.0


def caddy_program(layout: Layout, binary: str) -> CaddyProgram:
    """Return Caddy as it has to be run on a host; `binary` is a path or a name on PATH."""
    state = f"{layout.proxy}/tls"
    return CaddyProgram(
        argv=(binary, "run", "--config", f"{layout.proxy}/caddy.json"),
        env=(("HOME", state), ("XDG_CONFIG_HOME", state), ("XDG_DATA_HOME", state)),
        directory=layout.proxy,
        log=f"{layout.proxy}/log/caddy.log",
    )
