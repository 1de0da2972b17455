"""What puts the sites of all services of a host into the one configuration that Caddy takes (its JSON has no import).

One standard-library script, sent by standard input (`python3 -I -S - VERB …`), never imported by Shipway; it needs
Python 3.8 or newer. Every verb is idempotent. A failure is one sentence on standard error and exit status 1.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

# Caddy's pull request 7517: an older one never lists an address that a placeholder gave, so a drain would end at once.
OLDEST = (2, 11, 7)


class Failed(Exception):
    """What is told to the user."""


def read_json(path: str | pathlib.Path) -> Any:
    """Return what the file holds, or None where it holds no JSON."""
    try:
        return json.loads(pathlib.Path(path).read_bytes())
    except (OSError, ValueError):
        return None


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
    servers = {name: config["apps"]["http"]["servers"][name] for name in ("http", "https")}
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
        del config["apps"]["http"]["servers"]["https"]
    return config


def base_for(home: pathlib.Path, service: str, site: Any, sites: dict[str, Any]) -> Any:
    """Return who decides on ports and addresses, and the decision. The first service on a host does."""
    kept = read_json(home / "base.json")
    if not kept or kept["owner"] == service or kept["owner"] not in sites:
        return {"owner": service, "base": site["base"], "definition": site["definition"]}
    if (kept["base"], kept.get("definition", "")) != (site["base"], site["definition"]):
        wants, has = (b["apps"]["http"]["servers"] for b in (site["base"], kept["base"]))
        listen = [" ".join(s["http"]["listen"] + s["https"]["listen"]) for s in (wants, has)]
        raise Failed(
            f"`{service}` wants the proxy on {listen[0]}, but service `{kept['owner']}` runs it on {listen[1]}"
            if listen[0] != listen[1]
            else f"`{service}` and `{kept['owner']}` want the proxy run differently; their `proxy.run` must agree"
        )
    return kept


@contextlib.contextmanager
def sites_of(home: pathlib.Path) -> Iterator[dict[str, Any]]:
    """Yield the sites of all services by name, while nobody else changes them."""
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = {path.stem: read_json(path) for path in (home / "sites").glob("*.json")}
        yield {name: body for name, body in found.items() if body}


def configure(folder: str, service: str, *caddy: str) -> None:
    """Take `new/<service>.json` over: assemble, let Caddy judge it, and only then replace what is there."""
    home = pathlib.Path(folder)
    new = home / "new" / f"{service}.json"
    with sites_of(home) as sites:
        text = new.read_text(encoding="utf-8")
        site = json.loads(text)
        base = base_for(home, service, site, sites)
        sites[service] = site
        refuse_overlap(sites)
        candidate = home / "new" / "caddy.json"
        write(candidate, json.dumps(assemble(base["base"], sites), indent=1, sort_keys=True))
        refuse_old(caddy)
        judge(caddy, candidate)
        place = home / "sites" / f"{service}.json"
        if place.exists() and place.read_text(encoding="utf-8") != text:
            write(home / "new" / f"{service}.before", place.read_text(encoding="utf-8"))
        write(home / "base.json", json.dumps(base, sort_keys=True))
        candidate.replace(home / "caddy.json")
        write(place, text)  # last: `configured` looks at this one
        new.unlink()


def revert(folder: str, service: str, undone: str) -> None:
    """Undo any part of `configure`: put back what stood before the site with the SHA-256 `undone`.

    Without a site before there is nothing to put back, and nothing is sent to it.
    """
    home = pathlib.Path(folder)
    place, before = home / "sites" / f"{service}.json", home / "new" / f"{service}.before"
    with sites_of(home) as sites:
        if before.exists() and place.exists() and hashlib.sha256(place.read_bytes()).hexdigest() == undone:
            write(place, before.read_text(encoding="utf-8"))
            sites[service] = read_json(place)
        if service in sites:
            base = base_for(home, service, sites[service], sites)
            write(home / "base.json", json.dumps(base, sort_keys=True))
            write(home / "caddy.json", json.dumps(assemble(base["base"], sites), indent=1, sort_keys=True))


def forget(folder: str, service: str) -> None:
    """Take a service out of the configuration, with everything of it that stands in the proxy's directory.

    Without the last service Caddy keeps a configuration that answers 404.
    """
    home = pathlib.Path(folder)
    with sites_of(home) as sites:
        sites.pop(service, None)
        kept = read_json(home / "base.json")
        if kept and kept["owner"] == service and sites:
            kept["owner"] = min(sites)
            write(home / "base.json", json.dumps(kept, sort_keys=True))
        if kept:
            write(home / "caddy.json", json.dumps(assemble(kept["base"], sites), indent=1, sort_keys=True))
        for part in ("live", "errors", "tls/own"):
            shutil.rmtree(home / part / service, ignore_errors=True)
        logs = re.compile(rf"{re.escape(service)}(-\d{{4}}-\d\d-\d\dT.*)?\.log(\.gz)?")
        for path in (home / "log").iterdir():
            if logs.fullmatch(path.name):
                path.unlink()
        for part in (f"maintenance/{service}", f"new/{service}.json", f"new/{service}.before", f"sites/{service}.json"):
            with contextlib.suppress(FileNotFoundError):
                (home / part).unlink()


def ask(caddy: tuple[str, ...], *words: str) -> subprocess.CompletedProcess[str]:
    """Return what Caddy, run once, answered."""
    try:
        return subprocess.run([*caddy, *words], capture_output=True, text=True, timeout=80, check=False)
    except OSError as error:
        raise Failed(f"could not run `{caddy[0]}`: {error.strerror}") from error


def refuse_old(caddy: tuple[str, ...]) -> None:
    """Fail when this Caddy is older than what a drain needs; one that tells no number was built by hand."""
    ran = ask(caddy, "version")
    if ran.returncode:
        raise Failed(f"could not ask Caddy for its version: {ran.stderr.strip()[-2000:]}")
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", ran.stdout)
    if found and tuple(map(int, found.groups())) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise Failed(f"Caddy {found.group(0).lstrip('v')} ({caddy[-1]}) is too old: {oldest} or newer is needed")


def judge(caddy: tuple[str, ...], candidate: pathlib.Path) -> None:
    """Fail with Caddy's own words when it cannot use the configuration. It reads certificates, opens no port."""
    ran = ask(caddy, "validate", "--config", str(candidate))
    if ran.returncode:
        said = [line for line in ran.stderr.splitlines() if line.startswith("Error")] or ran.stderr.splitlines()[-1:]
        raise Failed("Caddy refused the configuration, the one before stays: " + " ".join(said)[:2000])


VERBS: dict[str, Callable[..., None]] = {
    "configure": configure,
    "forget": forget,
    "revert": revert,
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
