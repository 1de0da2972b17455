"""Caddy kept by the supervisor of a host, so that it comes back by itself like every other process there."""

from __future__ import annotations

import shlex

from shipway.core.action import Command, Upload
from shipway.core.layout import Layout
from shipway.proxies.caddy import Keep, caddy_program
from shipway.runtimes.venv.environment import unit_file
from shipway.runtimes.venv.keeper import Program
from shipway.runtimes.venv.supervisor import Supervisor

_NAME = "shipway-proxy"
"""One proxy serves all services of a host, so its name holds none."""


def kept_proxy(layout: Layout, binary: str, python: str) -> Keep:
    """Return what makes the supervisor of `layout` run Caddy (`binary`) and keep it. `python` is the host's own."""
    caddy = caddy_program(layout, binary)
    place = f"{layout.keeper}/proxy"
    launcher = f"{layout.keeper}/launch"
    program = Program(
        name=_NAME,
        argv=("/bin/sh", launcher, "keep", f"{place}.unit"),
        definition=f"{place}.conf",
        pidfile=f"{place}.pid",
        launcher=launcher,
        pythons=(f"{layout.tools}/bin/python", python),
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
    keeper = Supervisor(layout, python)
    start = (
        Upload(f"{place}.env", ("".join(f"{name}={shlex.quote(value)}\n" for name, value in env.items()),)),
        Upload(f"{place}.unit", unit_file(unit)),
        keeper.definition(program),
        keeper.start(program),
    )
    files = [f"{place}.{suffix}" for suffix in ("conf", "env", "unit")]
    stop = (keeper.stop(program), Command(("rm", "-f", "--", *files)))  # so that the keeper never starts it again
    return Keep(tool=(binary,), start=start, stop=stop, log=("tail", "-n", "5", caddy.log))
