"""Caddy kept by what keeps every other process of a host, so that it comes back by itself like them."""

from __future__ import annotations

import shlex
from dataclasses import replace

from shipway.core.action import Command, Upload
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.proxies.caddy import CaddyProgram, Keep, caddy_program
from shipway.runtimes.venv import HandOver, Keeper, Program, Systemd, UnitText, unit_text
from shipway.runtimes.venv.environment import unit_file

_NAME = "shipway-proxy"
"""One proxy serves all services of a host, so its name holds none."""
_UNIT = "proxy"
"""The same for systemd, which puts `shipway-` before each name."""


def kept_proxy(layout: Layout, binary: str, python: str, keeper: Keeper) -> Keep:
    """Return what makes `keeper` run Caddy (`binary`) and keep it. `python` is the host's own.

    Where the keeper changes, the proxy is ended by the old one in the step that starts it anew.
    """
    caddy = caddy_program(layout, binary)
    match keeper:
        case HandOver(now=now, before=before):
            new, old = kept_proxy(layout, binary, python, now), kept_proxy(layout, binary, python, before)
            return replace(new, start=(*old.stop, *new.start), stop=(*old.stop, *new.stop))
        case Systemd():
            return _by_systemd(layout, caddy, keeper)
        case _:
            return _by_supervisor(layout, caddy, python, keeper)


def _by_systemd(layout: Layout, caddy: CaddyProgram, keeper: Systemd) -> Keep:
    text = unit_text(
        UnitText(
            title="shipway-proxy (Caddy)",
            argv=caddy.argv,
            root=layout.root,
            scope=keeper.scope,
            user=keeper.user,
            stop_signal=caddy.stop_signal,
            stop_s=caddy.stop_s,
            notifies=True,  # as in Caddy's own unit file (caddyserver/dist, init/caddy.service)
            low_ports=True,
            directory=caddy.directory,
            env=caddy.env,
        )
    )
    return Keep(
        tool=(caddy.argv[0],),
        start=(keeper.start_unit(_UNIT, "", text),),
        stop=(keeper.stop_unit(_UNIT, "", "", caddy.stop_s),),
        log=keeper.journal(_UNIT, LogsAsked(5)).words(),
        logs=lambda asked: keeper.journal(_UNIT, asked),
        definition=keeper.place(_UNIT),
    )


def _by_supervisor(layout: Layout, caddy: CaddyProgram, python: str, keeper: Keeper) -> Keep:
    place = f"{layout.keeper}/proxy"
    launcher = f"{layout.keeper}/launch"
    program = Program(
        name=_NAME,
        argv=("/bin/sh", launcher, "keep", f"{place}.unit"),
        definition=place,
        pidfile=f"{place}.pid",
        launcher=launcher,
        pythons=(f"{layout.tools}/bin/python", python),
        log=caddy.log,
        stop_signal=caddy.stop_signal,
        stop_s=caddy.stop_s,
    )
    unit = {
        "pidfile": program.pidfile,
        "log": caddy.log,
        "env": f"{place}.env",
        "dir": caddy.directory,
        "signal": caddy.stop_signal,
        "stop_s": str(int(caddy.stop_s)),
        "cmd": shlex.join(caddy.argv),
        "role": "proxy",
        "release": "",
    }
    # The launcher looks for gunicorn in VIRTUAL_ENV, which is set for every unit.
    env = {**dict(caddy.env), "VIRTUAL_ENV": layout.tools}
    start = (
        Upload(f"{place}.env", ("".join(f"{name}={shlex.quote(value)}\n" for name, value in env.items()),)),
        Upload(f"{place}.unit", unit_file(unit)),
        keeper.definition(program),
        keeper.start(program),
    )
    files = [f"{place}.{suffix}" for suffix in ("conf", "env", "unit")]
    stop = (*keeper.stop(program), Command(("rm", "-f", "--", *files)))  # so that the keeper never starts it again
    return Keep(tool=(caddy.argv[0],), start=start, stop=stop, log=("tail", "-n", "5", caddy.log))
