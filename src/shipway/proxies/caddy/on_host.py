"""The steps that make Caddy run on a host with the site of one service, and that take both away again."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import replace
from importlib import resources

from shipway.core.action import Action, Command, Upload
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.secret import Text
from shipway.core.step import Step
from shipway.proxies.caddy.config import admin_socket, site_json
from shipway.proxies.caddy.listeners import listen
from shipway.proxies.caddy.site import CaddyRoute, CaddyRun, CaddySite, caddy_program

DIRECTORIES_SCRIPT = 'mode=$1; shift; install -d -m "$mode" -- "$@"'
STANDING_SCRIPT = 'for d do [ -d "$d" ] || exit 1; done'
CLEAR_SCRIPT = 'rm -f -- "$1"/*.html'
DETACH_SCRIPT = 'log=$1; shift; setsid "$@" </dev/null >>"$log" 2>&1 &'
# Standard input is what the two files should hold, one after the other.
SAME_SCRIPT = 'exec 3<&0; cat -- "$1/cert.pem" "$1/key.pem" 2>/dev/null </dev/null | cmp -s -- - /dev/fd/3'
LAST_SCRIPT = 'for f in "$1"/sites/*.json; do [ -e "$f" ] && exit 0; done; shift; exec "$@"'
LOG_SCRIPT = 'exec docker logs "$@" 2>&1'

UP_LIMIT_S = 15
RELOAD_LIMIT_S = 60.0
JUDGE_LIMIT_S = 180.0


class OnHost:
    """Caddy and the site of one service on one host, as steps. All are repeatable, and all but the site harmless."""

    def __init__(self, layout: Layout, host: str, site: CaddySite, run: CaddyRun) -> None:
        self.layout, self.host, self.site, self.run = layout, host, site, run
        self.admin = admin_socket(layout)
        self.config = f"{layout.proxy}/caddy.json"

    @functools.cached_property
    def site_text(self) -> str:
        """The file of this service that is put on the host."""
        return site_json(self.layout, self.site, self.run)

    @functools.cached_property
    def wanted(self) -> str:
        """What `host_script.is_settled` compares the host with."""
        keep = self.run.keep
        body = {
            "site": sha256(self.site_text),
            "pages": self._page_sums(),
            "container": keep.container,
            "definition": keep.definition,
        }
        return json.dumps(body, sort_keys=True)

    def prepare(self) -> tuple[Step, ...]:
        """Return all that can be done while another program has the ports."""
        certificates = [self.certificate(route) for route in self.site.routes if route.tls.pems]
        return (self._directories(), *self.run.keep.before, self._pages(), *certificates, self._configure())

    def begin(self) -> tuple[Step, ...]:
        """Return what makes Caddy run with what was prepared."""
        return (self._start(), self._reload())

    def certificate(self, route: CaddyRoute) -> Step:
        """Return the step that puts a certificate in place, and makes Caddy read it again where it runs."""
        where, (certificate, key) = self.layout.certificate(route.role), route.tls.pems or ((), ())
        return self._harmless(
            f"proxy-certificate-{route.role}",
            f"put the certificate of {route.role} in place",
            (
                Command(("sh", "-c", DIRECTORIES_SCRIPT, "sh", "0700", where)),
                Upload(f"{where}/new.cert.pem", _ended(certificate), mode=0o644),
                Upload(f"{where}/new.key.pem", _ended(key)),
                self.sites("certificate", where),
                self.script("again", self.admin, self.config, where, limit_s=RELOAD_LIMIT_S),
            ),
            Command(("sh", "-c", SAME_SCRIPT, "sh", where), stdin=(*_ended(certificate), *_ended(key))),
        )

    def take_over(self, predecessor: str) -> Step:
        """Return the step that puts Caddy in the place of another tool's proxy, which is stopped and kept."""
        keep = self.run.keep
        *before, swap = keep.replace
        return Step(
            id=f"{self.host}/take-over",
            title=f"stop {predecessor} and start {keep.container} on its ports",
            host=self.host,
            do=(
                *before,
                replace(swap, argv=(*swap.argv, predecessor)),
                self.script("up", self.admin, str(UP_LIMIT_S), *keep.log),
            ),
            done=self.script("runs", self.admin, keep.container, keep.definition),
            undo=tuple(replace(command, argv=(*command.argv, predecessor)) for command in keep.restore),
        )

    def forget(self) -> Step:
        """Return the step that takes this service out of the host's configuration."""
        proxy, service = self.layout.proxy, self.site.service
        return self._harmless(
            "proxy-forget",
            f"take {service} out of the proxy",
            (
                self.sites("forget", proxy, service),
                self.script("again", self.admin, self.config, limit_s=RELOAD_LIMIT_S),
            ),
            Command(("test", "!", "-e", f"{proxy}/sites/{service}.json")),
        )

    def end(self) -> Step:
        """Return the step that ends Caddy where no service is left."""
        proxy, gone = self.layout.proxy, self.script("gone", self.admin)
        stop = (
            Command(("sh", "-c", LAST_SCRIPT, "sh", proxy, *action.words()), action.stdin, limit_s=action.limit_s)
            for action in self.run.keep.stop or (self.script("quit", self.admin),)
        )
        return self._harmless(
            "proxy-remove",
            "remove the proxy when no service is left",
            tuple(stop),
            Command(("sh", "-c", LAST_SCRIPT, "sh", proxy, *gone.argv), gone.stdin),
        )

    def stop(self) -> Step:
        """Return the step that ends Caddy for every service of the host."""
        actions = self.run.keep.stop or (self.script("quit", self.admin),)
        return self._harmless("proxy-stop", "stop the proxy", actions, self.script("gone", self.admin))

    def log(self, asked: LogsAsked) -> Command:
        """Return what prints the log of Caddy itself. Raises ValueError for times that a file does not know."""
        name, lines = self.run.keep.container, str(max(0, asked.lines))
        if self.run.keep.logs:
            return self.run.keep.logs(asked)
        if not name:
            if asked.since:
                raise ValueError("the log of the proxy is a file here, which cannot be asked by time")
            follow = ("-F",) if asked.follows else ()
            return Command(("tail", "-n", lines, *follow, caddy_program(self.layout, "caddy").log))
        words = ["--tail", lines, *(("--since", asked.since) if asked.since else ())]
        words += ["--timestamps"] if asked.has_times else []
        words += ["--follow"] if asked.follows else []
        return Command(("sh", "-c", LOG_SCRIPT, "sh", *words, "--", name))

    def _directories(self) -> Step:
        layout = self.layout
        proxy, live = layout.proxy, layout.live("role").rpartition("/")[0]
        maintenance = layout.maintenance.rpartition("/")[0]
        public = (
            *(proxy, f"{proxy}/live", live, maintenance, f"{proxy}/errors", layout.errors, f"{proxy}/log"),
            layout.public,
        )
        private = (f"{proxy}/sites", f"{proxy}/new", f"{proxy}/tls")
        return self._harmless(
            "proxy-directories",
            "make the proxy's directories",
            (
                Command(("sh", "-c", DIRECTORIES_SCRIPT, "sh", "0755", *public)),
                Command(("sh", "-c", DIRECTORIES_SCRIPT, "sh", "0700", *private)),
            ),
            Command(("sh", "-c", STANDING_SCRIPT, "sh", *public, *private)),
        )

    def _pages(self) -> Step:
        folder, wanted = self.layout.errors, self.site.error_pages
        return self._harmless(
            "proxy-pages",
            "put the error pages in place",
            (
                Command(("sh", "-c", CLEAR_SCRIPT, "sh", folder)),
                *(Upload(f"{folder}/{name}", (body,), mode=0o644) for name, body in wanted),
            ),
            self.script("holds", folder, *self._page_sums()),
        )

    def _page_sums(self) -> list[str]:
        return [f"{name}={sha256(body)}" for name, body in self.site.error_pages]

    def _configure(self) -> Step:
        proxy, service = self.layout.proxy, self.site.service
        roots = dict.fromkeys(route.tls.ca_root for route in self.site.routes if route.tls.ca_root)
        wanted = sha256(self.site_text)
        step = self._harmless(
            "proxy-configure",
            f"configure the proxy for {service}",
            (
                *(Upload(path, (self.site.ca_root,), mode=0o644) for path in roots),
                Upload(f"{proxy}/new/{service}.json", (self.site_text,)),
                self.sites("configure", proxy, service, *self.run.keep.tool),
            ),
            self.script("configured", proxy, service, wanted),
        )
        # The release that goes on serving is reached as it was: by its own names, with its own health and limits.
        back = (
            self.sites("revert", proxy, service, wanted),
            self.script("again", self.admin, self.config, limit_s=RELOAD_LIMIT_S),
        )
        return replace(step, harmless=False, undo=back)

    def _start(self) -> Step:
        run, keep = self.run, self.run.keep
        program = caddy_program(self.layout, keep.tool[-1])
        env = tuple(f"{name}={value}" for name, value in program.env)
        detached = Command(("sh", "-c", DETACH_SCRIPT, "sh", program.log, "env", *env, *program.argv))
        needed = (run.http_port, *((run.https_port,) if any(route.tls.is_on for route in self.site.routes) else ()))
        addresses = [at for port in needed for at in listen(run, port)] if run.publish else []
        return self._harmless(
            "proxy-start",
            "start the proxy",
            (
                self.script("ports", self.admin, *addresses),
                *(keep.start or (detached,)),
                self.script("up", self.admin, str(UP_LIMIT_S), *(keep.log or ("tail", "-n", "5", program.log))),
            ),
            self.script("runs", self.admin, keep.container, keep.definition),
        )

    def _reload(self) -> Step:
        return self._harmless(
            "proxy-reload",
            "give the proxy its new configuration",
            (self.script("reload", self.admin, self.config, limit_s=RELOAD_LIMIT_S),),
            self.script("running", self.admin, self.config),
        )

    def _harmless(self, slug: str, title: str, do: tuple[Action, ...], done: Command) -> Step:
        return Step(f"{self.host}/{slug}", title, self.host, do, done, repeatable=True, harmless=True)

    def script(self, verb: str, *words: str, limit_s: float = 60.0) -> Command:
        """Return a command that asks the running Caddy."""
        return Command((self.run.python, "-I", "-S", "-", verb, *words), (_source("host_script.py"),), limit_s=limit_s)

    def sites(self, verb: str, *words: str) -> Command:
        """Return a command that changes what stands on the host for Caddy."""
        argv = (self.run.python, "-I", "-S", "-", verb, *words)
        return Command(argv, (_source("sites_script.py"),), limit_s=JUDGE_LIMIT_S)


@functools.cache
def _source(name: str) -> str:
    return resources.files("shipway.proxies.caddy").joinpath(name).read_text(encoding="utf-8")


def _ended(pem: Text) -> Text:
    """Return a PEM that ends in a newline, as files do; a second one does no harm."""
    return (*pem, "\n")


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
