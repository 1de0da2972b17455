"""What puts the sites of all services of a host into the one file that nginx includes.

One standard-library script, sent by standard input (`python3 -I -S - VERB …`), never imported by Shipway; it needs
Python 3.8 or newer. Every verb is idempotent. A failure is one sentence on standard error and exit status 1.
"""

from __future__ import annotations

import contextlib
import fcntl
import grp
import hashlib
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

HEAD = "# Written by Shipway. Do not edit: what is yours belongs into a file of its own. sha256 "
HTTP2_DIRECTIVE = (1, 25, 1)
"""Since then `http2` is a directive, and a word of `listen` is told as out of date (nginx's CHANGES)."""
SERVER = (
    "server_tokens off;",
    "underscores_in_headers off;",
    "client_header_timeout 15s;",
    "client_body_timeout 60s;",
    "send_timeout 60s;",
    "keepalive_timeout 120s;",
)
TLS = ("ssl_protocols TLSv1.2 TLSv1.3;", "ssl_session_cache shared:shipway:1m;", "ssl_session_timeout 1d;")


KEPT = "include-before"
"""The include file as it was, while another one is tried."""


class Failed(Exception):
    """What is told to the user."""


def read_json(path: str | pathlib.Path) -> Any:
    """Return what the file holds, or None where it holds no JSON."""
    try:
        return json.loads(pathlib.Path(path).read_bytes())
    except (OSError, ValueError):
        return None


def read(path: pathlib.Path) -> str:
    """Return what the file holds, "" where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def write(path: pathlib.Path, body: str) -> None:
    """Write beside and rename, so that no reader sees half a file."""
    beside = path.with_name(path.name + ".shipway-new")
    with beside.open("w", encoding="utf-8") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())
    beside.chmod(0o644)
    beside.replace(path)


def put(path: pathlib.Path, body: str) -> None:
    """Write a file, or remove it for ""."""
    if body:
        write(path, body)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def claims(site: Any) -> Iterator[tuple[str, str, str]]:
    """Yield what a site takes for itself: (listener, host, prefix)."""
    for entry in site["entries"]:
        for host in entry["hosts"] or ["*"]:
            if entry["prefix"] is not None:
                yield entry["server"], host, entry["prefix"]


def refuse_overlap(sites: dict[str, Any]) -> None:
    """Fail when two services claim the same host and prefix, or one name with two certificates."""
    taken: dict[tuple[str, str, str], str] = {}
    keys: dict[str, tuple[str, str]] = {}
    for name, site in sites.items():
        for claim in claims(site):
            if taken.setdefault(claim, name) != name:
                host = "every host" if claim[1] == "*" else f"`{claim[1]}`"
                raise Failed(f"services `{taken[claim]}` and `{name}` both claim {host}, path `{claim[2]}/`")
        for tls in site["tls"]:
            for host in tls["hosts"]:
                pair = (tls["certificate"], tls["key"])
                if keys.setdefault(host, pair) != pair:
                    raise Failed(f"`{host}` has two certificates, {keys[host][0]} and {pair[0]}: nginx takes one")


class Nginx:
    """nginx of this host. `settings`: its words, whether by sudo, and where it reads configuration."""

    def __init__(self, settings: str) -> None:
        body = json.loads(settings)
        self.words, self.folders, self.file = list(body["program"]), body["folders"], body["include"]
        self.sudo = ["sudo", "-n"] if body["sudo"] else []

    def ask(self, *words: str, as_root: bool = True) -> subprocess.CompletedProcess[str]:
        """Return what nginx, called once, answered."""
        argv = [*(self.sudo if as_root else []), *self.words, *words]
        environ = {**os.environ, "LC_ALL": "C", "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
        try:
            return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=environ)
        except OSError as error:
            raise Failed("nginx is not installed here: `shipway setup` does it on Debian and Ubuntu") from error

    def version(self) -> tuple[int, ...]:
        """Return nginx's version; (0,) where it tells none."""
        found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", self.ask("-v", as_root=False).stderr)
        return tuple(map(int, found.groups())) if found else (0,)

    def judge(self) -> None:
        """Fail with nginx's own words when it cannot use what stands on the host, or would pass over a name of it."""
        ran = self.ask("-t")
        lines = [re.sub(r"^nginx: |\S+ \S+ (?=\[\w+\] \d+#\d+: )", "", line) for line in ran.stderr.splitlines()]
        if ran.returncode:
            said = " ".join(line for line in lines if "[emerg]" in line) or " ".join(lines[-2:])
            raise Failed("nginx refused the configuration, the one before stays: " + (said + hint(said))[:2000])
        twice = [line for line in lines if "conflicting server name" in line]
        if twice:
            raise Failed(f"another file of nginx has the same name already, the configuration before stays: {twice[0]}")

    def parts(self) -> dict[str, str]:
        """Return the files that nginx reads, without comments, by path. Fails where its own files are wrong."""
        ran = self.ask("-T")
        if ran.returncode:
            self.judge()
        found = re.split(r"^# configuration file (.+):$", ran.stdout, flags=re.MULTILINE)
        return {path: re.sub(r"(?m)^\s*#.*$", "", body) for path, body in zip(found[1::2], found[2::2])}  # noqa: B905


def hint(said: str) -> str:
    """Return what helps against a failure that is often met."""
    found = re.search(r'"/etc/letsencrypt/live/([^/"]+)/', said)
    if found and "No such file" in said:
        command = f"certbot certonly --webroot -w /var/www/html -d {found.group(1)}"
        return f"; write `ssl: false` until `{command}` has made it there"
    return ""


def address(listen: str) -> str:
    """Return an address of `listen` in one spelling."""
    first = listen.split(maxsplit=1)[0]
    return re.sub(r"^(\*|0\.0\.0\.0):", "", first)


def listeners(parts: dict[str, str]) -> dict[str, bool]:
    """Return on which addresses others listen, and whether one of them says that it is the default there."""
    found: dict[str, bool] = {}
    for body in parts.values():
        for words in re.findall(r"(?:^|[;{}])\s*listen\s+([^;]+);", body, flags=re.MULTILINE):
            at = address(words)
            found[at] = found.get(at, False) or "default" in words
    return found


def assemble(sites: dict[str, Any], newest: str, others: dict[str, bool], version: tuple[int, ...]) -> str:
    """Return the include file for all services; `others` as `listeners` tells it."""
    servers: dict[tuple[str, str], dict[str, Any]] = {}
    for name in sorted(sites):
        for entry in sites[name]["entries"]:
            for host in entry["hosts"] or [""]:
                server = servers.setdefault((entry["server"], host), {"listen": {}, "locations": {}})
                server["listen"].update(dict.fromkeys(sites[name]["listen"][entry["server"]]))
                for one in entry["locations"]:
                    server["locations"].setdefault(one["head"], one["text"])
    pairs = {host: tls for name in sorted(sites) for tls in sites[name]["tls"] for host in tls["hosts"]}
    texts = [sites[newest if newest in sites else min(sites)]["base"], *(sites[name]["http"] for name in sorted(sites))]
    texts += [
        server_text(key, server, pairs.get(key[1]), others, version)
        for key, server in sorted(servers.items(), key=lambda item: (item[0][0], item[0][1] == "", item[0][1]))
    ]
    texts += nobody(servers, others, version)
    body = "\n".join(texts) + "\n"
    return f"{HEAD}{hashlib.sha256(body.encode()).hexdigest()}\n{body}"


def listen_lines(addresses: Any, kind: str, version: tuple[int, ...], *, is_default: bool) -> list[str]:
    """Return the lines of `listen`; IPv6 only where this host knows it."""
    knows_six = bool(read(pathlib.Path("/proc/net/if_inet6")))
    words = (" ssl" + ("" if version >= HTTP2_DIRECTIVE else " http2")) if kind == "https" else ""
    words += " default_server" if is_default else ""
    lines = [f"listen {at}{words};" for at in addresses if knows_six or not at.startswith("[")]
    return lines + (["http2 on;"] if kind == "https" and version >= HTTP2_DIRECTIVE else [])


def server_text(key: tuple[str, str], server: Any, tls: Any, others: dict[str, bool], version: tuple[int, ...]) -> str:
    """Return one `server` block."""
    kind, host = key
    has_others = [at for at in server["listen"] if address(at) in others]
    if not host and has_others:
        raise Failed(
            f"nginx has other sites on port {address(has_others[0])}, so this one needs a name: set `proxy.host`"
        )
    lines = [
        *listen_lines(server["listen"], kind, version, is_default=not host),
        f"server_name {host or '_'};",
        *SERVER,
    ]
    if kind == "https":
        lines += [f"ssl_certificate {tls['certificate']};", f"ssl_certificate_key {tls['key']};", *TLS]
    texts = [*lines, *server["locations"].values()]
    if "/" not in server["locations"]:
        texts.append("location / {\n    return 404;\n}")
    return in_block("server", texts)


def nobody(servers: Any, others: dict[str, bool], version: tuple[int, ...]) -> list[str]:
    """Return what answers requests that no service claims, on addresses that nobody else listens on."""
    found = []
    for kind in ("http", "https"):
        at = {one for (server, _), body in servers.items() if server == kind for one in body["listen"]}
        taken = {
            one for (server, host), body in servers.items() if (server, host) == (kind, "") for one in body["listen"]
        }
        free = sorted(one for one in at - taken if address(one) not in others)
        if free:
            answer = "ssl_reject_handshake on;" if kind == "https" else "return 404;"
            lines = listen_lines(free, kind, version, is_default=True)
            found.append(in_block("server", [*lines, "server_name _;", *SERVER, answer]))
    return found


def in_block(head: str, texts: list[str]) -> str:
    """Return a block."""
    return "\n".join([head + " {", *("    " + line for text in texts for line in text.split("\n")), "}"])


def refuse_edited(place: pathlib.Path) -> None:
    """Fail when a hand has changed our file: what it did would be lost."""
    head, _, body = read(place).partition("\n")
    if head and head != HEAD + hashlib.sha256(body.encode()).hexdigest():
        raise Failed(
            f"{place} was changed by hand and stays as it is: move what is yours to a file of its own (`nginx -T`"
            " shows which it reads), and delete this one, which Shipway then writes anew"
        )


@contextlib.contextmanager
def sites_of(folder: str) -> Iterator[tuple[pathlib.Path, dict[str, Any]]]:
    """Yield nginx's directory and the sites of all services by name, while nobody else changes them."""
    home = pathlib.Path(folder)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = {path.stem: read_json(path) for path in (home / "nginx/sites").glob("*.json")}
        yield home / "nginx", {name: body for name, body in found.items() if body}


def replace(nginx: Nginx, home: pathlib.Path, sites: dict[str, Any], newest: str) -> None:
    """Write the include file and let nginx judge it; what stood there comes back when it may not be."""
    place = home / "shipway.conf"
    refuse_edited(place)
    before = read(place)
    parts = nginx.parts()
    others = listeners({path: body for path, body in parts.items() if path != str(place)})
    text = assemble(sites, newest, others, nginx.version()) if sites else ""
    write(home / "new" / KEPT, before)  # for who comes after a process that was killed from here on
    put(place, text)
    try:
        nginx.judge()
        if sites:
            refuse_unread(nginx, place)
    except Failed:
        put(place, before)
        raise
    finally:
        (home / "new" / KEPT).unlink()


def refuse_unread(nginx: Nginx, place: pathlib.Path) -> None:
    """Fail when nginx does not read our file, or its workers could not reach what it names."""
    parts = nginx.parts()
    if str(place) not in parts:
        raise Failed(f"nginx does not read {place}: put `include {place.parent}/*.conf;` into its `http` block")
    refuse_closed(place.parent, settle(parts, place.parent))


def settle(parts: dict[str, str], home: pathlib.Path) -> str:
    """Note where nginx writes its process id; return who its workers are."""
    text = "\n".join(parts.values())
    pid = re.search(r"(?:^|[;{}])\s*pid\s+([^;\s]+)\s*;", text, flags=re.MULTILINE)
    user = re.search(r"(?:^|[;{}])\s*user\s+([^;\s]+)[^;]*;", text, flags=re.MULTILINE)
    write(home / "nginx.json", json.dumps({"pid": pid.group(1) if pid else "/run/nginx.pid"}))
    return user.group(1) if user else "nobody"


def refuse_closed(home: pathlib.Path, user: str) -> None:
    """Fail when nginx's workers could not reach sockets and files: a directory on the way is closed to them."""
    try:
        who = pwd.getpwnam(user)
    except KeyError:
        return
    groups = {who.pw_gid, *(group.gr_gid for group in grp.getgrall() if user in group.gr_mem)}
    for path in [home.parent / "live", *home.parents]:
        found = path.stat()
        bit = 0o100 if found.st_uid == who.pw_uid else 0o010 if found.st_gid in groups else 0o001
        if who.pw_uid and not found.st_mode & bit:
            raise Failed(
                f"nginx's workers ({user}) may not pass through {path}: `chmod o+x {path}`, or another"
                " `state_directory`, such as /srv/shipway"
            )


def configure(folder: str, service: str, settings: str) -> None:
    """Take `new/<service>.json` over: assemble, let nginx judge it, and only then keep it."""
    nginx = Nginx(settings)
    with sites_of(folder) as (home, sites):
        new, place = home / "new" / f"{service}.json", home / "sites" / f"{service}.json"
        text = new.read_text(encoding="utf-8")
        sites[service] = json.loads(text)
        refuse_overlap(sites)
        point_to_nothing(home.parent / "live" / service, sites[service]["roles"])
        replace(nginx, home, sites, service)
        if place.exists() and read(place) != text:
            write(home / "new" / f"{service}.before", read(place))
        write(place, text)  # last: `configured` looks at this one
        new.unlink()


def point_to_nothing(folder: pathlib.Path, roles: list[str]) -> None:
    """Make the link of each role that has none: to its own directory, which is no socket and tells that none serves."""
    folder.mkdir(parents=True, exist_ok=True)
    for role in roles:
        link = folder / role
        if not link.is_symlink():
            beside = folder / f"{role}.shipway-new"
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            said = read(link).strip() if link.is_file() else ""  # as Caddy has it
            beside.symlink_to(said[len("unix/") :] if said.startswith("unix//") else ".")
            beside.replace(link)


def revert(folder: str, service: str, undone: str, settings: str) -> None:
    """Undo any part of `configure`: put back what stood before the site with the SHA-256 `undone`."""
    with sites_of(folder) as (home, sites):
        place, before = home / "sites" / f"{service}.json", home / "new" / f"{service}.before"
        if before.exists() and place.exists() and hashlib.sha256(place.read_bytes()).hexdigest() == undone:
            write(place, read(before))
            sites[service] = read_json(place)
            replace(Nginx(settings), home, sites, service)
        elif (kept := home / "new" / KEPT).exists():
            put(home / "shipway.conf", read(kept))
            kept.unlink()


def forget(folder: str, service: str, settings: str) -> None:
    """Take a service out of the configuration, with everything of it that stands in the proxy's directory."""
    with sites_of(folder) as (home, sites):
        if sites.pop(service, None) is not None:
            replace(Nginx(settings), home, sites, service)
        for part in ("live", "errors", "tls/own"):
            shutil.rmtree(home.parent / part / service, ignore_errors=True)
        for path in (
            home.parent / "maintenance" / service,
            *(
                home / f"{part}/{service}.{end}"
                for part, end in (("new", "json"), ("new", "before"), ("sites", "json"))
            ),
        ):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


VERBS: dict[str, Callable[..., None]] = {"configure": configure, "forget": forget, "revert": revert}


if __name__ == "__main__":
    try:
        VERBS[sys.argv[1]](*sys.argv[2:])
    except Failed as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or 'the proxy'}: {error.strerror or error}")
    except (ValueError, KeyError) as error:
        sys.exit(f"a file of the proxy could not be read: {error!r}")
