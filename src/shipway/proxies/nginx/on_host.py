"""The steps that make nginx serve one service on a host, and that take it away again."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from importlib import resources

from shipway.core.action import Command, Upload
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.step import Step
from shipway.proxies.nginx.config import site_json
from shipway.proxies.nginx.run import INCLUDE_NAME, NginxRun
from shipway.proxies.site import ProxyRoute, ProxySite
from shipway.proxies.steps import CommonSteps, sha256

# Sockets and files are reached by nginx's workers, who are somebody else.
OPEN_SCRIPT = 'chmod o+x -- "$1"'
IS_OPEN_SCRIPT = '[ -n "$(find "$1" -maxdepth 0 -perm -o+x)" ]'
# $1 the name, $2 the line, $3… directories: the first that is there gets the file. Ours is known by its first line.
INCLUDE_SCRIPT = (
    'name=$1 line=$2; shift 2; for d do [ -d "$d" ] || continue; f=$d/$name;'
    ' if [ -e "$f" ] && ! grep -qxF -- "$line" "$f"; then'
    ' echo "$f is there and includes something else: it stays as it is" >&2; exit 1; fi;'
    ' umask 022; printf "# The sites that Shipway keeps. Everything else of nginx is yours.\\n%s\\n" "$line"'
    ' >"$f.shipway-new" && exec mv -f -- "$f.shipway-new" "$f"; done;'
    ' echo "nginx is not installed here, or has none of: $*" >&2; exit 1'
)
OUT_SCRIPT = (
    'home=$1 name=$2; shift 2; for f in "$home"/nginx/sites/*.json; do [ -e "$f" ] && exit 0; done;'
    ' for d do rm -f -- "$d/$name"; done'
)
LAST_SCRIPT = 'for f in "$1"/nginx/sites/*.json; do [ -e "$f" ] && exit 0; done; shift; exec "$@"'
ABSENT_SCRIPT = 'name=$1; shift; for d do [ ! -e "$d/$name" ] || exit 1; done'
START_SCRIPT = (
    "if [ -d /run/systemd/system ]; then exec systemctl enable --quiet --now nginx; fi; PATH=$PATH:/usr/sbin:/sbin;"
    " exec nginx"
)
STOP_SCRIPT = (
    "if [ -d /run/systemd/system ]; then exec systemctl stop nginx; fi; PATH=$PATH:/usr/sbin:/sbin; exec nginx -s quit"
)

UP_LIMIT_S = 15
RELOAD_LIMIT_S = 30
JUDGE_LIMIT_S = 180.0


class OnHost:
    """nginx and the site of one service on one host, as steps. All are repeatable, and all but the site harmless."""

    def __init__(self, layout: Layout, host: str, site: ProxySite, run: NginxRun) -> None:
        self.layout, self.host, self.site, self.run = layout, host, site, run
        self.common = CommonSteps(layout, host, site, run.python)
        self.settings = json.dumps(
            {"program": run.program, "sudo": run.sudo, "folders": run.folders, "include": INCLUDE_NAME}
        )

    @functools.cached_property
    def site_text(self) -> str:
        """The file of this service that is put on the host."""
        return site_json(self.layout, self.site, self.run)

    @functools.cached_property
    def wanted(self) -> str:
        """What `host_script.is_settled` compares the host with."""
        body = {
            "site": sha256(self.site_text),
            "pages": self.common.page_sums,
            "includes": self._includes,
            "roles": [route.role for route in self.site.routes],
        }
        return json.dumps(body, sort_keys=True)

    def prepare(self) -> tuple[Step, ...]:
        """Return all that can be done while nginx does not run."""
        proxy = self.layout.proxy
        private = tuple(f"{self.layout.nginx}/{name}" for name in ("sites", "new"))
        directories = self.common.directories((self.layout.nginx, self.layout.acme), (*private, f"{proxy}/tls"))
        pages = self.common.pages(self.script("holds", self.layout.errors, *self.common.page_sums))
        certificates = [self.certificate(route) for route in self.site.routes if route.tls.pems]
        return (directories, self._passage(), pages, *certificates, self._include(), self._configure())

    def begin(self) -> tuple[Step, ...]:
        """Return what makes nginx run with what was prepared."""
        return (self._start(), self._reload())

    def certificate(self, route: ProxyRoute) -> Step:
        """Return the step that puts a certificate in place, and makes nginx read it again where it runs."""
        return self.common.certificate(route, self._again())

    def forget(self) -> Step:
        """Return the step that takes this service out of the host's configuration."""
        proxy, service = self.layout.proxy, self.site.service
        return self.common.step(
            "proxy-forget",
            f"take {service} out of nginx",
            (self.sites("forget", proxy, service, self.settings), self._again()),
            Command(("test", "!", "-e", f"{self.layout.nginx}/sites/{service}.json")),
        )

    def end(self) -> Step:
        """Return the step that takes our include file out of nginx where no service is left. nginx itself stays."""
        proxy, words = self.layout.proxy, (INCLUDE_NAME, *self.run.folders)
        absent = ("sh", "-c", ABSENT_SCRIPT, "sh", *words)
        return self.common.step(
            "proxy-remove",
            "take Shipway's include file out of nginx when no service is left",
            (Command(("sh", "-c", OUT_SCRIPT, "sh", proxy, *words), sudo=self.run.sudo), self._again()),
            Command(("sh", "-c", LAST_SCRIPT, "sh", proxy, *absent)),
        )

    def stop(self) -> Step:
        """Return the step that ends nginx, with every site that it serves."""
        argv = self.run.stop or ("sh", "-c", STOP_SCRIPT)
        stop = Command(argv, sudo=self.run.sudo and not self.run.stop)
        done = self.script("gone", self.layout.proxy)
        return self.common.step("proxy-stop", "stop nginx, and all that it serves", (stop,), done)

    def log(self, asked: LogsAsked) -> Command:
        """Return what prints nginx's error log. Raises ValueError for times, which a file does not know."""
        if asked.since:
            raise ValueError("the log of nginx is a file, which cannot be asked by time")
        follow = ("-F",) if asked.follows else ()
        words = ("tail", "-n", str(max(0, asked.lines)), *follow, f"{self.run.logs}/error.log")
        return Command(words, sudo=self.run.sudo)

    @property
    def _includes(self) -> list[str]:
        return [f"{folder}/{INCLUDE_NAME}" for folder in self.run.folders]

    def _passage(self) -> Step:
        root = self.layout.root
        return self.common.step(
            "proxy-passage",
            f"let nginx's workers pass through {root}",
            (Command(("sh", "-c", OPEN_SCRIPT, "sh", root)),),
            Command(("sh", "-c", IS_OPEN_SCRIPT, "sh", root)),
        )

    def _include(self) -> Step:
        line = f"include {self.layout.nginx}/*.conf;"
        words = (INCLUDE_NAME, line, *self.run.folders)
        return self.common.step(
            "proxy-include",
            "let nginx read what Shipway writes",
            (Command(("sh", "-c", INCLUDE_SCRIPT, "sh", *words), sudo=self.run.sudo),),
            self.script("included", self.layout.proxy, *self._includes),
        )

    def _configure(self) -> Step:
        proxy, service = self.layout.proxy, self.site.service
        wanted = sha256(self.site_text)
        step = self.common.step(
            "proxy-configure",
            f"configure nginx for {service}",
            (
                Upload(f"{self.layout.nginx}/new/{service}.json", (self.site_text,)),
                self.sites("configure", proxy, service, self.settings),
            ),
            self.script("configured", proxy, service, wanted),
        )
        back = (self.sites("revert", proxy, service, wanted, self.settings), self._again("back"))
        return replace(step, harmless=False, undo=back)

    def _start(self) -> Step:
        argv = self.run.start or ("sh", "-c", START_SCRIPT)
        needed = (self.run.http_port, *((self.run.https_port,) if any(r.tls.is_on for r in self.site.routes) else ()))
        ips = [f"[{ip}]" if ":" in ip else ip for ip in self.run.bind_ips] or [""]
        addresses = [f"{ip}:{port}" for port in needed for ip in ips]
        return self.common.step(
            "proxy-start",
            "start nginx",
            (
                self.common.free_ports(addresses),
                Command(argv, sudo=self.run.sudo and not self.run.start),
                self.script("up", self.layout.proxy, str(UP_LIMIT_S)),
            ),
            self.script("runs", self.layout.proxy),
        )

    def _reload(self) -> Step:
        proxy = self.layout.proxy
        return self.common.step(
            "proxy-reload",
            "give nginx its new configuration",
            (self.script("reload", proxy, str(RELOAD_LIMIT_S), *self._words, limit_s=RELOAD_LIMIT_S + 120),),
            self.script("running", proxy),
        )

    def _again(self, verb: str = "again") -> Command:
        words = (verb, self.layout.proxy, str(RELOAD_LIMIT_S), *self._words)
        return self.script(*words, limit_s=RELOAD_LIMIT_S + 120)

    @property
    def _words(self) -> tuple[str, ...]:
        return (*(("sudo", "-n") if self.run.sudo else ()), *self.run.program)

    def script(self, verb: str, *words: str, limit_s: float = 60.0) -> Command:
        """Return a command that asks the running nginx, or `/proc` about it."""
        return Command((self.run.python, "-I", "-S", "-", verb, *words), (_source("host_script.py"),), limit_s=limit_s)

    def sites(self, verb: str, *words: str) -> Command:
        """Return a command that changes what stands on the host for nginx."""
        argv = (self.run.python, "-I", "-S", "-", verb, *words)
        return Command(argv, (_source("sites_script.py"),), limit_s=JUDGE_LIMIT_S)


@functools.cache
def _source(name: str) -> str:
    return resources.files("shipway.proxies.nginx").joinpath(name).read_text(encoding="utf-8")
