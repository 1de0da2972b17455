"""What asks a running Caddy: one standard-library script, sent by standard input (`python3 -I -S - VERB …`).

It is never imported by Shipway. It needs Python 3.8 or newer and speaks to Caddy's admin socket. Every verb is
idempotent. A failure is one sentence on standard error and exit status 1.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

# A request can read the address just before a switch and be counted just after it, so one zero is no proof: three in a
# row, 50 ms apart, are far longer than a request needs from the one to the other. Beside the placeholder itself
# Caddy lists each address that was dialled, since its pull request 7517 (2.11.7 has it; an older one never lists it,
# so a drain there would end at once). A WebSocket counts until it ends.
QUIET_ANSWERS = 3
POLL_S = 0.05
ANSWER_BYTES = 8 << 20
OK = 200
KAMAL_PROXY = "kamal-proxy"
COLUMNS = {
    "name": "{{.Names}}",
    "state": "{{.State}}",
    "definition": '{{.Label "shipway.definition"}}',
    "service": '{{.Label "service"}}',
    "role": '{{.Label "role"}}',
    "destination": '{{.Label "destination"}}',
    "release": '{{.Label "release"}}',
}


class Failed(Exception):
    """What is told to the user."""


class Admin(http.client.HTTPConnection):
    """Caddy's admin API on its unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(
    admin: str, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Return (status, body); raises OSError when nothing answers."""
    connection = Admin(admin)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(ANSWER_BYTES)
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def is_up(admin: str) -> bool:
    """Return whether Caddy answers."""
    try:
        return ask(admin, "GET", "/config/admin")[0] == OK
    except OSError:
        return False


def read_json(path: str | pathlib.Path) -> Any:
    """Return what the file holds, or None where it holds no JSON."""
    try:
        return json.loads(pathlib.Path(path).read_bytes())
    except (OSError, ValueError):
        return None


def digest(path: pathlib.Path) -> str:
    """Return the SHA-256 of a file, or nothing where it cannot be read."""
    try:
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def configured(folder: str, service: str, wanted: str) -> None:
    """Fail unless the file of the service is `wanted` (SHA-256) and was put into a configuration."""
    home = pathlib.Path(folder)
    if digest(home / "sites" / f"{service}.json") != wanted or not (home / "caddy.json").exists():
        raise Failed("not configured")


def holder(port: str) -> str:
    """Return who listens on `port`, as far as this user may know."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        words = ["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"]
        names = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False).stdout.split()
        if names:
            return f"the container `{names[0]}`"
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        words = ["ss", "-ltnpH", f"sport = :{port}"]
        said = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False).stdout
        found = re.search(r'\(\("([^"]+)",pid=(\d+)', said)
        if found:
            return f"`{found.group(1)}` (process {found.group(2)})"
    return "another program"


def answers(host: str, port: int) -> bool:
    """Return whether something listens there."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=2):
        return True
    return False


def ports(admin: str, *addresses: str) -> None:
    """Fail with a clear sentence when Caddy could not listen.

    Caddy itself would not notice another Caddy: it listens with SO_REUSEPORT, so the kernel would share the requests
    out between the two.
    """
    if is_up(admin):
        return
    for address in addresses:
        host, port = address.rsplit(":", 1)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host.strip("[]"), int(port)))
                probe.listen(1)
            except PermissionError:
                # This user may not, Caddy may (a capability of its file, another keeper): it will say so itself.
                if answers(host.strip("[]") or "127.0.0.1", int(port)):
                    raise Failed(f"port {port} is taken by {holder(port)}") from None
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise Failed(f"port {port} is taken by {holder(port)}") from error
                raise Failed(f"cannot listen on {address}: {error.strerror}") from error


def up(admin: str, limit_s: str, *log: str) -> None:
    """Wait until Caddy answers; on failure show what the command `log` prints."""
    end = time.monotonic() + float(limit_s)
    while not is_up(admin):
        if time.monotonic() > end:
            tail = ""
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                ran = subprocess.run(log, capture_output=True, text=True, timeout=10, check=False)
                tail = (ran.stdout + ran.stderr)[-4000:]
            raise Failed(f"Caddy did not come up within {limit_s} s\n{tail}")
        time.sleep(POLL_S)


def runs(admin: str, container: str, definition: str) -> None:
    """Fail unless Caddy answers and is run as it should.

    A container was started as `definition` says; else that is a file which its keeper has ("" for no keeper).
    """
    if not is_up(admin):
        raise Failed("Caddy does not answer")
    if definition and not container and not pathlib.Path(definition).exists():
        raise Failed(f"Caddy is kept by something else: {definition} is not there")
    if container and not any(
        row["name"] == container and row["state"] == "running" and row["definition"] == definition
        for row in containers()
    ):
        raise Failed(f"{container} is run in another way")


def containers() -> list[dict[str, str]]:
    """Return what Docker has, [] where it does not answer; each container as the columns of `COLUMNS`."""
    words = ["docker", "ps", "--all", "--no-trunc", "--format", "\t".join(COLUMNS.values())]
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split("\t") for line in said.splitlines()]
    return [dict(zip(COLUMNS, row)) for row in rows if len(row) == len(COLUMNS)]  # noqa: B905  Python 3.8


def running(admin: str, config: str) -> None:
    """Caddy keeps the configuration as it was given, so equality is the question whether a reload is needed."""
    try:
        status, body = ask(admin, "GET", "/config/")
    except OSError as error:
        raise Failed("Caddy does not answer") from error
    if status != OK or json.loads(body) != read_json(config):
        raise Failed("Caddy runs another configuration")


def load(admin: str, config: str, headers: dict[str, str]) -> None:
    """Caddy keeps what it has when the new configuration cannot be started."""
    try:
        status, body = ask(admin, "POST", "/load", pathlib.Path(config).read_bytes(), headers)
    except OSError as error:
        raise Failed(f"Caddy does not answer on {admin}: {error}") from error
    if status != OK:
        raise Failed("Caddy kept its old configuration: " + body.decode("utf-8", "replace")[:2000])


def reload(admin: str, config: str) -> None:
    """Give Caddy its configuration; the one that it has already changes nothing."""
    load(admin, config, {})


def again(admin: str, config: str, word: str = "") -> None:
    """Make a running Caddy read its configuration and the files in it again, if `word` stands in it."""
    if is_up(admin) and word in pathlib.Path(config).read_text(encoding="utf-8"):
        load(admin, config, {"Cache-Control": "must-revalidate"})


def end(admin: str) -> None:
    """End Caddy softly."""
    with contextlib.suppress(OSError):
        ask(admin, "POST", "/stop")


def gone(admin: str) -> None:
    """Fail while Caddy answers."""
    if is_up(admin):
        raise Failed("Caddy still runs")


def held(admin: str, address: str) -> int:
    """Return how many requests (WebSockets count) `address` holds; 0 when it is not known."""
    status, body = ask(admin, "GET", "/reverse_proxy/upstreams")
    if status != OK:
        raise OSError(f"status {status}")
    return max((row["num_requests"] for row in json.loads(body) or [] if row["address"] == address), default=0)


def drain(admin: str, address: str, limit_s: str) -> None:
    """Wait until nothing is held, or the limit is over: neither is a failure."""
    begin = time.monotonic()
    quiet, count = 0, 0
    while quiet < QUIET_ANSWERS:
        try:
            count = held(admin, address)
        except (OSError, ValueError, KeyError, TypeError) as error:
            say(f"not drained: Caddy does not tell ({error})")
            return
        quiet = 0 if count else quiet + 1
        if time.monotonic() - begin >= float(limit_s):
            say(f"not drained: {count} requests left after {limit_s} s")
            return
        time.sleep(POLL_S)
    say(f"drained in {time.monotonic() - begin:.1f} s")


def is_settled(home: str, service: str, admin: str, wanted: Any) -> bool:
    """Return whether there is nothing to do: Caddy runs as `wanted`, with the wanted site and pages."""
    try:
        configured(home, service, wanted["site"])
        holds(f"{home}/errors/{service}", *wanted["pages"])
        runs(admin, wanted["container"], wanted["definition"])
        running(admin, f"{home}/caddy.json")
    except (Failed, OSError, ValueError):
        return False
    return True


def facts(home: str, service: str, admin: str, wanted: str) -> None:
    """Tell what is there; everything is bounded, nothing is required. `wanted` is JSON, see `is_settled`."""
    root, wants = pathlib.Path(home), json.loads(wanted)
    live = {}
    for path in sorted((root / "live" / service).glob("*"))[:200]:
        with contextlib.suppress(OSError), path.open("rb") as file:
            live[path.name] = file.read(1000).decode("utf-8", "replace").strip()
    say(
        json.dumps(
            {
                "live": {role: address for role, address in live.items() if address and "." not in role},
                "up": is_up(admin),
                "maintenance": (root / "maintenance" / service).exists(),
                "hash": digest(root / "sites" / f"{service}.json")[:12],
                "settled": is_settled(home, service, admin, wants),
                **(kamals(service) if wants["container"] else {}),
            }
        )
    )


def kamals(service: str) -> dict[str, Any]:
    """Return whether Kamal's proxy runs here, and which other services of Kamal's do."""
    found = [row for row in containers() if row["state"] == "running"]
    others = {
        "-".join(filter(None, (row["service"], row["destination"])))
        for row in found
        if row["role"] and not row["release"]
    }
    has_proxy = any(row["name"] == KAMAL_PROXY for row in found)
    return {"predecessor": KAMAL_PROXY if has_proxy else "", "neighbours": sorted(others - {service})[:50]}


def holds(folder: str, *wanted: str) -> None:
    """Fail unless the pages in `folder` are exactly those `wanted` (NAME=SHA256)."""
    found = {f"{path.name}={digest(path)}" for path in pathlib.Path(folder).glob("*.html")}
    if found != set(wanted):
        raise Failed("other pages")


def say(text: str) -> None:
    """Print a line for a person."""
    sys.stdout.write(text + "\n")


VERBS: dict[str, Callable[..., None]] = {
    "again": again,
    "configured": configured,
    "drain": drain,
    "facts": facts,
    "gone": gone,
    "holds": holds,
    "ports": ports,
    "quit": end,
    "reload": reload,
    "running": running,
    "runs": runs,
    "up": up,
}


if __name__ == "__main__":
    try:
        VERBS[sys.argv[1]](*sys.argv[2:])
    except Failed as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or 'the proxy'}: {error.strerror or error}")
    except (ValueError, KeyError) as error:
        sys.exit(f"a file of the proxy could not be read: {error!r}")
