"""Speaks with supervisord on a host, in one Python start (supervisorctl needs three times that, per word said).

Sent on standard input: `python -I -S - VERB JSON < supervisor_script.py`; Python 3.9, standard library. Verbs: `up`
(start supervisord unless it answers), `start` and `stop` (a program). Exits 0 when what was asked is true.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable

# Fault codes of supervisor/xmlrpc.py, class Faults.
BAD_NAME, ALREADY_STARTED, NOT_RUNNING, ALREADY_ADDED, STILL_RUNNING = 10, 60, 70, 90, 91
KEEPER_LIMIT_S = 15.0
MARGIN_S = 10.0  # after the unit's own time: supervisord looks once a second, then kills


class Socket(http.client.HTTPConnection):
    """HTTP over the unix socket whose path stands where the host's name would."""

    path = ""

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(KEEPER_LIMIT_S)
        self.sock.connect(self.path)


class UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:  # noqa: ARG002  the path replaces it
        """Return a connection to the socket; supervisord closes after each call."""
        connection = Socket("localhost")
        connection.path = self.path
        return connection


def server(conf: dict[str, str]) -> xmlrpc.client.ServerProxy:
    """Return supervisord's RPC interface."""
    return xmlrpc.client.ServerProxy("http://localhost", transport=UnixTransport(conf["socket"]))


def call(method: Callable[..., object], *args: object, fine: tuple[int, ...] = ()) -> int:
    """Call `method`; return 0, or the fault code if it is one of `fine`."""
    try:
        method(*args)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode in fine:
            return fault.faultCode
        raise
    return 0


def answers(conf: dict[str, str]) -> bool:
    """Return whether supervisord answers and is not on its way out."""
    try:
        state = server(conf).supervisor.getState()
    except (OSError, http.client.HTTPException, xmlrpc.client.Error):
        return False
    return isinstance(state, dict) and state.get("statecode") == 1


def up(conf: dict[str, str]) -> None:
    """Start supervisord unless it answers; wait until it does."""
    if answers(conf):
        return
    tool = os.path.join(conf["tools"], "bin", "supervisord")
    program = tool if os.access(tool, os.X_OK) else shutil.which("supervisord")
    if not program:
        sys.exit("supervisord is neither on the PATH nor among Shipway's own tools: `shipway deploy` installs it")
    keep = {name: value for name, value in os.environ.items() if name in ("HOME", "USER", "LOGNAME", "PATH")}
    done = subprocess.run(
        [program, "-c", conf["config"]],
        env={**keep, "LANG": "C.UTF-8"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False,
    )  # fmt: skip
    deadline = time.monotonic() + KEEPER_LIMIT_S
    while not answers(conf):
        if done.returncode or time.monotonic() > deadline:
            sys.exit(f"supervisord did not start: {done.stdout.decode('utf-8', 'replace').strip()[-2000:]}")
        time.sleep(0.05)


def start(conf: dict[str, str]) -> None:
    """Put the program's definition in force and start it, in a keeper that is up."""
    try:
        with open(conf["definition"], "rb") as file:
            body = file.read()
    except FileNotFoundError:  # of a release that another keeper kept
        body = conf["text"].encode()
    with open(f"{conf['installed']}.new", "wb") as file:  # not *.conf: half a file is never read
        file.write(body)
    os.replace(f"{conf['installed']}.new", conf["installed"])
    up(conf)
    keeper = server(conf).supervisor
    call(keeper.reloadConfig)
    if call(keeper.addProcessGroup, conf["name"], fine=(ALREADY_ADDED,)) == ALREADY_ADDED:
        call(keeper.startProcess, conf["name"], False, fine=(ALREADY_STARTED,))


def pid_of(conf: dict[str, str]) -> int:
    """Return the process id of the living unit, 0 for none."""
    words = ["/bin/sh", conf["launcher"], "alive", conf["pidfile"]]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    text = done.stdout.decode("ascii", "replace").strip()
    return int(text) if done.returncode == 0 and text.isdigit() else 0


def signal_group(pid: int, number: int) -> bool:
    """Send a signal to the process group that `pid` began; return whether anybody was left in it."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def tell_to_stop(conf: dict[str, str], pid: int) -> bool:
    """Ask the keeper to stop the unit, or signal it where no keeper knows it; return whether a keeper does."""
    known = False
    if answers(conf):
        fault = call(server(conf).supervisor.stopProcess, conf["name"], False, fine=(BAD_NAME, NOT_RUNNING))
        known = fault != BAD_NAME
        if fault == 0:
            return True
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, f"SIG{conf['signal']}"))
    return known


def wait_for_end(conf: dict[str, str], pid: int, limit_s: float) -> None:
    """Wait for the unit to end, then for what it left in its group; kill the group when the time is over."""
    deadline = time.monotonic() + limit_s
    while pid and pid_of(conf) == pid and time.monotonic() < deadline:
        time.sleep(0.05)
    asked = signal_group(pid, signal.SIGTERM) if pid and pid_of(conf) != pid else bool(pid)
    deadline = min(deadline, time.monotonic() + 2.0)
    while asked and signal_group(pid, 0) and time.monotonic() < deadline:
        answers(conf)  # supervisord looks for ended children once a second, and whenever it is spoken to
        time.sleep(0.05)
    if asked:
        signal_group(pid, signal.SIGKILL)


def stop(conf: dict[str, str]) -> None:
    """Stop the unit softly and forget it, whether or not a keeper runs or knows it."""
    for path in (conf["installed"],):  # first, so that a keeper that starts meanwhile does not start the unit
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    pid = pid_of(conf)
    known = tell_to_stop(conf, pid)
    wait_for_end(conf, pid, float(conf["stop_s"]) + MARGIN_S)
    deadline = time.monotonic() + MARGIN_S
    while known and call(server(conf).supervisor.removeProcessGroup, conf["name"], fine=(STILL_RUNNING, BAD_NAME)) == (
        STILL_RUNNING
    ):
        if time.monotonic() > deadline:
            sys.exit(f"supervisord still holds {conf['name']} after its process ended")
        time.sleep(0.05)
    for path in (conf["pidfile"], conf["unit_socket"]):
        with contextlib.suppress(FileNotFoundError):
            if path:
                os.unlink(path)


if __name__ == "__main__":
    try:
        {"up": up, "start": start, "stop": stop}[sys.argv[1]](json.loads(sys.argv[2]))
    except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
        sys.exit(f"supervisord: {error}")
