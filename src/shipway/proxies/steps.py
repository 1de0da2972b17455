"""Steps that are the same for every proxy: directories, error pages, a certificate of one's own, maintenance."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from shipway.core.action import Action, Command, Upload
from shipway.core.layout import Layout
from shipway.core.secret import Text
from shipway.core.step import Step
from shipway.proxies.pages import maintenance_page
from shipway.proxies.site import ProxyRoute, ProxySite

DIRECTORIES_SCRIPT = 'mode=$1; shift; install -d -m "$mode" -- "$@"'
STANDING_SCRIPT = 'for d do [ -d "$d" ] || exit 1; done'
CLEAR_SCRIPT = 'rm -f -- "$1"/*.html'
# Standard input is what the two files should hold, one after the other.
SAME_SCRIPT = 'exec 3<&0; cat -- "$1/cert.pem" "$1/key.pem" 2>/dev/null </dev/null | cmp -s -- - /dev/fd/3'
# Moving to "$2" keeps what was there, so that taking the step back restores it.
MOVE_SCRIPT = 'rm -f -- "$2"; if [ -e "$1" ]; then mv -f -- "$1" "$2"; fi'
BACK_SCRIPT = 'if [ -e "$2" ]; then mv -f -- "$2" "$1"; else rm -f -- "$1"; fi'
_CERTIFICATE_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class CommonSteps:
    """Builds the steps for one service on one host. `python` runs the scripts there."""

    layout: Layout
    host: str
    site: ProxySite
    python: str = "python3"

    def step(self, slug: str, title: str, do: tuple[Action, ...], done: Command) -> Step:
        """Return a step that may be done twice, and left behind."""
        return Step(f"{self.host}/{slug}", title, self.host, do, done, repeatable=True, harmless=True)

    def directories(self, more: Sequence[str], private: Sequence[str]) -> Step:
        """Return the step that makes the directories of every proxy, `more` that all may read, and `private` ones."""
        layout = self.layout
        proxy, live = layout.proxy, layout.live("role").rpartition("/")[0]
        maintenance = layout.maintenance.rpartition("/")[0]
        public = (
            *(proxy, f"{proxy}/live", live, maintenance, f"{proxy}/errors", layout.errors, *more),
            layout.public,
        )
        return self.step(
            "proxy-directories",
            "make the proxy's directories",
            (
                Command(("sh", "-c", DIRECTORIES_SCRIPT, "sh", "0755", *public)),
                Command(("sh", "-c", DIRECTORIES_SCRIPT, "sh", "0700", *private)),
            ),
            Command(("sh", "-c", STANDING_SCRIPT, "sh", *public, *private)),
        )

    def free_ports(self, addresses: Sequence[str]) -> Command:
        """Return the command that fails, and names the holder, where one of `addresses` (`:80`) is taken."""
        source = resources.files("shipway.proxies.caddy").joinpath("host_script.py").read_text(encoding="utf-8")
        return Command((self.python, "-I", "-S", "-", "ports", "", *addresses), (source,))

    def pages(self, holds: Command) -> Step:
        """Return the step that puts the error pages in place; `holds` tells that exactly those are there."""
        folder = self.layout.errors
        return self.step(
            "proxy-pages",
            "put the error pages in place",
            (
                Command(("sh", "-c", CLEAR_SCRIPT, "sh", folder)),
                *(Upload(f"{folder}/{name}", (body,), mode=0o644) for name, body in self.site.error_pages),
            ),
            holds,
        )

    @property
    def page_sums(self) -> list[str]:
        """The error pages, as NAME=SHA256."""
        return [f"{name}={sha256(body)}" for name, body in self.site.error_pages]

    def certificate(self, route: ProxyRoute, again: Command) -> Step:
        """Return the step that puts a certificate in place; `again` makes a running proxy read it anew."""
        where, (certificate, key) = self.layout.certificate(route.role), route.tls.pems or ((), ())
        take = Command((self.python, "-I", "-S", "-", where), (_script(),), limit_s=_CERTIFICATE_LIMIT_S)
        return self.step(
            f"proxy-certificate-{route.role}",
            f"put the certificate of {route.role} in place",
            (
                Command(("sh", "-c", DIRECTORIES_SCRIPT, "sh", "0700", where)),
                Upload(f"{where}/new.cert.pem", _ended(certificate), mode=0o644),
                Upload(f"{where}/new.key.pem", _ended(key)),
                take,
                again,
            ),
            Command(("sh", "-c", SAME_SCRIPT, "sh", where), stdin=(*_ended(certificate), *_ended(key))),
        )

    def switch(self, verb: str, to: tuple[str, str], do: Command, done: Command, undo: Command) -> Step:
        """Return the step that sends the traffic of a role to an endpoint; `to` has both. `verb` names the step."""
        role, endpoint = to
        title = f"send traffic of {role} to {endpoint}"
        return Step(f"{self.host}/{verb}-{role}", title, self.host, (do,), done, (undo,))

    def drain(self, role: str, endpoint: str, wait: Command) -> Step:
        """Return the step that waits for the requests that `endpoint` holds."""
        title = f"wait for open requests of {role} at {endpoint}"
        return Step(f"{self.host}/drain-{role}", title, self.host, (wait,), repeatable=True, harmless=True)

    def maintenance(self, *, on: bool, message: str) -> Step:
        """Return the step that shows visitors a page (503, Retry-After) instead of the site, or no longer does."""
        file = self.layout.maintenance
        before = f"{file.rpartition('/')[0]}/.before-{self.site.service}"
        page = maintenance_page(message)
        move = Command(("sh", "-c", MOVE_SCRIPT, "sh", file, before))
        return Step(
            id=f"{self.host}/maintenance-{'on' if on else 'off'}",
            title=f"switch maintenance mode {'on' if on else 'off'}",
            host=self.host,
            do=(move, Upload(file, (page,), mode=0o644)) if on else (move,),
            done=_has_sha256(file, page) if on else Command(("test", "!", "-e", file)),
            undo=(Command(("sh", "-c", BACK_SCRIPT, "sh", file, before)),),
        )


@functools.cache
def _script() -> str:
    return resources.files("shipway.proxies").joinpath("certificate_script.py").read_text(encoding="utf-8")


def _has_sha256(path: str, text: str) -> Command:
    return Command(("sha256sum", "-c", "-"), stdin=(f"{sha256(text)}  {path}\n",))


def _ended(pem: Text) -> Text:
    """Return a PEM that ends in a newline, as files do; a second one does no harm."""
    return (*pem, "\n")


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
