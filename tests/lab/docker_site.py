"""A small application in two images and the docker runtime for it, on the lab's own engine and this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from shipway.core.action import Command
from shipway.core.layout import Layout
from shipway.core.ports import Result
from shipway.core.secret import SecretRef
from shipway.core.unit import HealthCheck, Unit
from shipway.runtimes.base import Release, RuntimeFacts
from shipway.runtimes.docker import Docker, DockerSettings, RoleSettings
from tests.contract.host import Host, temporary_host
from tests.lab.fixtures import Lab

SERVICE = "shipwaytest"
NETWORK = "shipway-test"
SECRET = 'sec\'ret $HOME "%(x)s" `id` ; # \\'
PEM = "-----BEGIN KEY-----\nline 'two' $HOME\n-----END KEY-----\n"
HEALTH = HealthCheck(path="/up", host="shop.example", limit_s=15.0, interval_s=0.2)
APP = Path(__file__).parent / "images" / "app"
BASE = (APP / "Dockerfile").read_text().partition("ARG ")[0]
"""An image with Django in it: a deploy asks every release about itself."""
FILES = ("app.py", "manage.py", "settings.py")

CMDS: Mapping[str, str] = {
    "web": "python app.py serve 8000",
    "worker": "python app.py work",
    "needy": "python app.py need DATABASE_PASSWORD",
    "loop": "python app.py end 3",
    "absent": "no-such-program --x",
    "greedy": "python app.py eat 200",
    "elsewhere": "python app.py serve 9000",
    "inward": "python app.py serve 8000 127.0.0.1",
    "checked": "python app.py work",
}
PROXIED = frozenset({"web", "elsewhere", "inward", "moved", "shut", "nowhere"})


@dataclass
class DockerSite:
    host: Host
    layout: Layout
    runtime: Docker
    settings: DockerSettings

    def unit(self, release: str = "r1", role: str = "web", **changes: object) -> Unit:
        is_proxied = role in PROXIED
        unit = Unit(
            service=SERVICE,
            role=role,
            host="here",
            release=release,
            version=version_of(release),
            kind="web" if is_proxied else "worker",
            cmd=CMDS.get(role, CMDS["web"]),
            proxied=is_proxied,
            stop_s=5.0,
            health=HEALTH if is_proxied else None,
            env=(
                ("SECRET_KEY", (SecretRef("KEY"),)),
                ("PEM", (SecretRef("PEM"),)),
                ("ODD", ("a 'b' $c \\ ; # é",)),
                ("FROM_HOST", ("in ${HOME} and ${NOWHERE:-nowhere}",)),
                ("EMPTY", ("",)),
            ),
        )
        return replace(unit, **changes)  # type: ignore[arg-type]

    def prepare(self, release: str, *roles: str) -> None:
        units = [self.unit(release, role) for role in roles or ("web", "worker")]
        for step in self.runtime.prepare_steps(Release(release, version_of(release), "/"), units):
            self.host.step(step)

    def start(self, unit: Unit) -> None:
        for step in self.runtime.start_steps(unit):
            self.host.step(step)

    def stop(self, unit: Unit) -> None:
        for step in self.runtime.stop_steps(unit):
            self.host.step(step)

    def facts(self) -> RuntimeFacts:
        return self.runtime.parse({name: self.host.run(command) for name, command in self.runtime.probes().items()})

    def running(self) -> set[tuple[str, str]]:
        return set(self.facts().running)

    def docker(self, *words: str) -> Result:
        return self.host.run(Command(("docker", *words)))

    def inside(self, unit: Unit, code: str) -> str:
        return self.docker("exec", self.runtime.container(unit), "python", "-c", code).text.strip()

    def failure(self, unit: Unit) -> str:
        """Start a unit that cannot work; return what its step said, and take it back."""
        (step,) = self.runtime.start_steps(unit)
        for action in step.do:
            result = self.host.run(action)
            if not result.ok:
                break
        else:
            raise AssertionError("it works")
        self.host.undo(step)
        return result.said


def copy_app(directory: Path, service: str) -> None:
    """Make the application a project in `directory` whose image is one of `service`."""
    for name in FILES:
        shutil.copy(APP / name, directory)
    (directory / "Dockerfile").write_text((APP / "Dockerfile").read_text().replace(SERVICE, service))


def version_of(release: str) -> str:
    return {"r1": "one", "r2": "two"}.get(release, "one")


@contextlib.contextmanager
def docker_site(lab: Lab) -> Iterator[DockerSite]:
    """A host with both images; everything made there is removed afterwards."""
    with temporary_host(os.environ["PATH"], {"KEY": SECRET, "PEM": PEM}) as host:
        host.env |= {name: value for name, value in lab.environment.items() if name.startswith("DOCKER_")}
        repository = "shipway.test/app"
        limits = {"memory": "48m", "memory-swap": "48m"}
        roles = {
            "web": RoleSettings(app_port=8000, asset_path="/assets", labels={"team": "red"}),
            "greedy": RoleSettings(options=limits, restart="no"),
            "checked": RoleSettings(options={"health-cmd": "test -e /tmp/works", "health-interval": "0.3s"}),
            **{role: RoleSettings(app_port=8000) for role in PROXIED - {"web"}},
        }
        settings = DockerSettings(
            SERVICE, repository, network=NETWORK, roles=roles, pulls=False, readiness_s=1.0, deploy_limit_s=15.0
        )
        layout = Layout(str(host.root / "state"), SERVICE)
        site = DockerSite(host, layout, Docker(layout, "here", settings), settings)
        try:
            for version in ("one", "two"):
                words = ("build", "--quiet", "--build-arg", f"VERSION={version}", "-t", f"{repository}:{version}")
                built = site.docker(*words, str(APP))
                assert built.ok, built.said
            for step in site.runtime.host_steps():
                host.step(step)
            yield site
        finally:
            clean(site)


def clean(site: DockerSite) -> None:
    """Remove every container, image and network that this made."""
    found = site.docker("ps", "--all", "--quiet", "--filter", f"label=service={SERVICE}").text.split()
    if found:
        site.docker("rm", "--force", "--volumes", *found)
    images = site.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", site.settings.repository).text.split()
    if images:
        site.docker("image", "rm", *images)
    site.docker("network", "rm", NETWORK)
