"""What runs on a host beside Caddy: one standard-library script, sent by standard input (`python3 -I -S - VERB …`).

It is never imported by Shipway. It needs Python 3.8 or newer, speaks to Caddy's admin socket, and puts the sites of all
services together into the one configuration that Caddy takes (Caddy's JSON has no import). Every verb is idempotent.
A failure is one sentence on standard error and exit status 1.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

# A request can read the address just before a switch and be counted just after it, so one zero is no proof: three in a
# row, 50 ms apart, are far longer than a request needs from the one to the other. Beside the placeholder itself
# Caddy lists each address that was dialled, since its pull request 7517 (2.11.7 has it; an older one never lists it,
# so a drain there would end at once). A WebSocket counts until it ends.
QUIET_ANSWERS = 3
POLL_S = 0.05
ANSWER_BYTES = 8 << 20
OK = 200


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


def ask(admin: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Return (status, body); raises OSError when nothing answers."""
    connection = Admin(admin)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
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


def write(path: pathlib.Path, body: str) -> None:
    """Write beside and rename, so that no reader sees half a file."""
    beside = path.with_name(path.name + ".shipway-new")
    with beside.open("w", encoding="utf-8") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())
    beside.chmod(0o600)
    beside.replace(path)


def claims(site: Any) -> Iterator[tuple[str, str, str]]:
    """Yield what a site takes for itself: (listener, host, prefix)."""
    for entry in site["entries"]:
        for host in entry["hosts"] or ["*"]:
            yield entry["server"], host, entry["prefix"]


def refuse_overlap(sites: dict[str, Any]) -> None:
    """Fail when two services claim the same host and prefix; within one service the first route wins."""
    taken: dict[tuple[str, str, str], str] = {}
    for name, site in sites.items():
        for claim in claims(site):
            if taken.setdefault(claim, name) != name:
                host = "every host" if claim[1] == "*" else f"`{claim[1]}`"
                raise Failed(f"services `{taken[claim]}` and `{name}` both claim {host}, path `{claim[2]}/`")


def rank(entry: Any) -> tuple[bool, bool, int]:
    """Named hosts before any host, exact names before wildcards, longer prefixes before shorter ones."""
    hosts = entry["hosts"]
    return (not hosts, any("*" in host for host in hosts), -len(entry["prefix"]))


def assemble(base: Any, sites: dict[str, Any]) -> Any:
    """Return the host's configuration: `base` with the routes, certificates and logs of every site."""
    config = json.loads(json.dumps(base))
    servers = config["apps"]["http"]["servers"]
    entries = [entry for name in sorted(sites) for entry in sites[name]["entries"]]
    for entry in sorted(entries, key=rank):
        server = servers[entry["server"]]
        server["routes"].insert(len(server["routes"]) - 1, entry["route"])
        server["errors"]["routes"].insert(len(server["errors"]["routes"]) - 1, entry["errors"])
    skip = servers["https"]["automatic_https"]["skip_certificates"]
    tls, logs = config["apps"]["tls"], config["logging"]["logs"]
    for name in sorted(sites):
        for server in servers.values():
            server["named_routes"].update(sites[name]["named"])
        skip.extend(sites[name]["skip_certificates"])
        tls["automation"]["policies"].extend(sites[name]["policies"])
        tls["certificates"]["load_files"].extend(sites[name]["load_files"])
        logs.update(sites[name]["logs"])
        logs["default"]["exclude"].extend(f"http.log.access.{log}" for log in sites[name]["logs"])
    if len(servers["https"]["routes"]) == 1:
        del servers["https"]
    return config


def base_for(home: pathlib.Path, service: str, site: Any, sites: dict[str, Any]) -> Any:
    """Return who decides on ports and addresses, and the decision. The first service on a host does."""
    kept = read_json(home / "base.json")
    if not kept or kept["owner"] == service or kept["owner"] not in sites:
        return {"owner": service, "base": site["base"]}
    if kept["base"] != site["base"]:
        wants, has = (b["apps"]["http"]["servers"] for b in (site["base"], kept["base"]))
        listen = [" ".join(s["http"]["listen"] + s["https"]["listen"]) for s in (wants, has)]
        raise Failed(
            f"`{service}` wants the proxy on {listen[0]}, but service `{kept['owner']}` runs it on {listen[1]}"
        )
    return kept


def configure(folder: str, service: str, caddy: str) -> None:
    """Take `new/<service>.json` over: assemble, let Caddy judge it, and only then replace what is there."""
    home = pathlib.Path(folder)
    new = home / "new" / f"{service}.json"
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = new.read_text(encoding="utf-8")
        site = json.loads(text)
        found = {path.stem: read_json(path) for path in (home / "sites").glob("*.json")}
        sites = {name: body for name, body in found.items() if body}
        base = base_for(home, service, site, sites)
        sites[service] = site
        refuse_overlap(sites)
        candidate = home / "new" / "caddy.json"
        write(candidate, json.dumps(assemble(base["base"], sites), indent=1, sort_keys=True))
        judge(caddy, candidate)
        write(home / "base.json", json.dumps(base, sort_keys=True))
        candidate.replace(home / "caddy.json")
        write(home / "sites" / f"{service}.json", text)  # last: `configured` looks at this one
        new.unlink()


def judge(caddy: str, candidate: pathlib.Path) -> None:
    """Fail with Caddy's own words when it cannot use the configuration. It reads certificates, opens no port."""
    try:
        words = [caddy, "validate", "--config", str(candidate)]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        raise Failed(f"could not run `{caddy}`: {error.strerror}") from error
    if ran.returncode:
        said = [line for line in ran.stderr.splitlines() if line.startswith("Error")] or ran.stderr.splitlines()[-1:]
        raise Failed("Caddy refused the configuration, the one before stays: " + " ".join(said)[:2000])


def configured(folder: str, service: str, wanted: str) -> None:
    """Fail unless the file of the service is `wanted` (SHA-256) and was put into a configuration."""
    home = pathlib.Path(folder)
    if digest(home / "sites" / f"{service}.json") != wanted or not (home / "caddy.json").exists():
        raise Failed("not configured")


def holder(port: str) -> str:
    """Return who listens on `port`, as far as this user may know."""
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


def up(admin: str, limit_s: str, log: str) -> None:
    """Wait until Caddy answers; on failure show the end of its log."""
    end = time.monotonic() + float(limit_s)
    while not is_up(admin):
        if time.monotonic() > end:
            tail = b""
            with contextlib.suppress(OSError):
                tail = b"\n".join(pathlib.Path(log).read_bytes()[-4000:].splitlines()[-5:])
            raise Failed(f"Caddy did not come up within {limit_s} s\n{tail.decode('utf-8', 'replace')}")
        time.sleep(POLL_S)


def running(admin: str, config: str) -> None:
    """Caddy keeps the configuration as it was given, so equality is the question whether a reload is needed."""
    try:
        status, body = ask(admin, "GET", "/config/")
    except OSError as error:
        raise Failed("Caddy does not answer") from error
    if status != OK or json.loads(body) != read_json(config):
        raise Failed("Caddy runs another configuration")


def reload(admin: str, config: str) -> None:
    """Caddy keeps what it has when the new configuration cannot be started."""
    try:
        status, body = ask(admin, "POST", "/load", pathlib.Path(config).read_bytes())
    except OSError as error:
        raise Failed(f"Caddy does not answer on {admin}: {error}") from error
    if status != OK:
        raise Failed("Caddy kept its old configuration: " + body.decode("utf-8", "replace")[:2000])


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


def is_settled(home: str, service: str, admin: str, wanted: Sequence[str]) -> bool:
    """Return whether there is nothing to do: site file and pages are the `wanted` ones, and Caddy runs with them."""
    site, *sums = wanted
    try:
        configured(home, service, site)
        holds(f"{home}/errors/{service}", *sums)
        running(admin, f"{home}/caddy.json")
    except (Failed, OSError, ValueError):
        return False
    return True


def facts(home: str, service: str, admin: str, *wanted: str) -> None:
    """Tell what is there; everything is bounded, nothing is required. `wanted`: see `is_settled`."""
    root = pathlib.Path(home)
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
                "settled": is_settled(home, service, admin, wanted),
            }
        )
    )


def holds(folder: str, *wanted: str) -> None:
    """Fail unless the pages in `folder` are exactly those `wanted` (NAME=SHA256)."""
    found = {f"{path.name}={digest(path)}" for path in pathlib.Path(folder).glob("*.html")}
    if found != set(wanted):
        raise Failed("other pages")


def say(text: str) -> None:
    """Print a line for a person."""
    sys.stdout.write(text + "\n")


VERBS: dict[str, Callable[..., None]] = {
    "configure": configure,
    "configured": configured,
    "drain": drain,
    "facts": facts,
    "holds": holds,
    "ports": ports,
    "reload": reload,
    "running": running,
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
