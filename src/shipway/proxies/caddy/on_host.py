"""The steps that make Caddy run on a host with the site of one service, and that take both away again."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from importlib import resources

from shipway.core.action import Command, Upload
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.step import Step
from shipway.proxies.caddy.config import admin_socket, site_json
from shipway.proxies.caddy.listeners import listen
from shipway.proxies.caddy.site import CaddyRun, caddy_program
from shipway.proxies.site import ProxyRoute, ProxySite
from shipway.proxies.steps import CommonSteps, sha256

DETACH_SCRIPT = 'log=$1; shift; setsid "$@" </dev/null >>"$log" 2>&1 &'
LAST_SCRIPT = 'for f in "$1"/sites/*.json; do [ -e "$f" ] && exit 0; done; shift; exec "$@"'
LOG_SCRIPT = 'exec docker logs "$@" 2>&1'

UP_LIMIT_S = 15
RELOAD_LIMIT_S = 60.0
JUDGE_LIMIT_S = 180.0


class OnHost:
    """Caddy and the site of one service on one host, as steps. All are repeatable, and all but the site harmless."""

    def __init__(self, layout: Layout, host: str, site: ProxySite, run: CaddyRun) -> None:
        self.layout, self.host, self.site, self.run = layout, host, site, run
        self.admin = admin_socket(layout)
        self.config = f"{layout.proxy}/caddy.json"
        self.common = CommonSteps(layout, host, site, run.python)

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
            "pages": self.common.page_sums,
            "container": keep.container,
            "definition": keep.definition,
        }
        return json.dumps(body, sort_keys=True)

    def prepare(self) -> tuple[Step, ...]:
        """Return all that can be done while another program has the ports."""
        certificates = [self.certificate(route) for route in self.site.routes if route.tls.pems]
        proxy, common = self.layout.proxy, self.common
        directories = common.directories((f"{proxy}/log",), (f"{proxy}/sites", f"{proxy}/new", f"{proxy}/tls"))
        pages = common.pages(self.script("holds", self.layout.errors, *common.page_sums))
        return (directories, *self.run.keep.before, pages, *certificates, self._configure())

    def begin(self) -> tuple[Step, ...]:
        """Return what makes Caddy run with what was prepared."""
        return (self._start(), self._reload())

    def certificate(self, route: ProxyRoute) -> Step:
        """Return the step that puts a certificate in place, and makes Caddy read it again where it runs."""
        where = self.layout.certificate(route.role)
        return self.common.certificate(
            route, self.script("again", self.admin, self.config, where, limit_s=RELOAD_LIMIT_S)
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
        return self.common.step(
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
        return self.common.step(
            "proxy-remove",
            "remove the proxy when no service is left",
            tuple(stop),
            Command(("sh", "-c", LAST_SCRIPT, "sh", proxy, *gone.argv), gone.stdin),
        )

    def stop(self) -> Step:
        """Return the step that ends Caddy for every service of the host."""
        actions = self.run.keep.stop or (self.script("quit", self.admin),)
        return self.common.step("proxy-stop", "stop the proxy", actions, self.script("gone", self.admin))

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

    def _configure(self) -> Step:
        proxy, service = self.layout.proxy, self.site.service
        roots = dict.fromkeys(route.tls.ca_root for route in self.site.routes if route.tls.ca_root)
        wanted = sha256(self.site_text)
        step = self.common.step(
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
        return self.common.step(
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
        return self.common.step(
            "proxy-reload",
            "give the proxy its new configuration",
            (self.script("reload", self.admin, self.config, limit_s=RELOAD_LIMIT_S),),
            self.script("running", self.admin, self.config),
        )

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
