"""The `docker` runtime: a container for each role of a release, from an image that hosts pull."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from shipway.core.action import Action, Command, Upload
from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.core.ports import Result
from shipway.core.secret import SecretRef, Text
from shipway.core.step import Step
from shipway.core.unit import KAMAL, Unit, patience
from shipway.runtimes import health, vitals
from shipway.runtimes.base import Release, Runtime, RuntimeFacts
from shipway.runtimes.docker.arguments import listing_words, log_words, once_words, run_words
from shipway.runtimes.docker.environment import env_file
from shipway.runtimes.docker.kamals import once_of_kamal
from shipway.runtimes.docker.parse import parse_probe
from shipway.runtimes.docker.proof import question
from shipway.runtimes.docker.resource import resource
from shipway.runtimes.docker.settings import DOCKER_HUB, DockerSettings, Login

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")
HOLDS_SCRIPT = '[ "$(cat -- "$1" 2>/dev/null)" = "$2" ]'
LOGS_SCRIPT = 'exec docker logs "$@" 2>&1'  # a container has two streams and they are one log
INSIDE_SCRIPT = 'if [ -t 0 ]; then exec docker exec -it "$@"; else exec docker exec -i "$@"; fi'
PULL_LIMIT_S = 1200.0
RUN_LIMIT_S = 120.0
ENGINE_LIMIT_S = 120.0
ONE_OFF_LIMIT_S = 300.0
MARGIN_S = 60.0


class Docker:
    """Releases of one service on one host, each role of them a container.

    Methods that take a unit raise ValueError for what can never run: names with other characters than letters,
    digits, `.`, `_` and `-`, a command that is not one simple command, options that are Shipway's own.
    """

    def __init__(self, layout: Layout, host: str, settings: DockerSettings) -> None:
        if not layout.root.startswith("/"):
            raise ValueError(f"the state directory `{layout.root}` is not an absolute path")
        _refuse_names(layout.service, settings.service)
        self._layout, self._host, self._settings = layout, host, settings

    @property
    def side_by_side(self) -> bool:
        """Two releases of a unit can run at once: they are two containers."""
        return True

    def probes(self) -> Mapping[str, Command]:
        """Return one cheap question: what is there and runs, and whether Docker answers."""
        settings = self._settings
        where = (self._layout.home, settings.service, settings.destination, settings.repository, settings.network)
        return {"docker": replace(self._host_command("probe", *where), limit_s=20.0)}

    def parse(self, answers: Mapping[str, Result]) -> RuntimeFacts:
        """Return what the answer tells; nothing for one that is missing or malformed."""
        settings = self._settings
        return parse_probe(answers.get("docker"), service=settings.service, destination=settings.destination)

    def host_steps(self) -> tuple[Step, ...]:
        """Return the one step that makes the directories of the service and the network of its containers."""
        layout, network = self._layout, self._settings.network
        places = ("0755", layout.home, "0750", layout.releases, layout.shared)
        return (
            Step(
                id=f"{self._host}/make-directories",
                title=f"make the directories of {layout.service} and the network {network}",
                host=self._host,
                do=(self._host_command("ready", network, *places),),
                done=self._host_command("is-ready", network, *places),
                harmless=True,
            ),
        )

    def prepare_steps(self, release: Release, units: Sequence[Unit]) -> tuple[Step, ...]:
        """Return: environment and scripts; the image, checked; the mark of a whole release."""
        if not units:
            raise ValueError(f"{release.release} has no role on {self._host}")
        return (self._describe_step(release, units), self._fetch_step(release, units))

    def runnable_after(self, release: str) -> str:
        """Return the id of the step that brings the image: environment and scripts stand before it."""
        return self._fetch_id(release)

    def start_steps(self, unit: Unit) -> tuple[Step, ...]:
        """Return the one step that starts a unit's container and waits until it works; its undo stops it.

        A container that was kept is started again; where there is none it is made from what its release kept.
        """
        return (
            Step(
                id=f"{self._host}/start-{unit.role}-{unit.release}",
                title=f"start {self.container(unit)}",
                host=self._host,
                do=self._start(unit),
                done=self._proof(unit, once=True),
                undo=(self._stop(unit),),
            ),
        )

    def stop_steps(self, unit: Unit) -> tuple[Step, ...]:
        """Return the one step that stops a unit softly and keeps its container; its undo starts that again."""
        name = self.container(unit)
        return (
            Step(
                id=f"{self._host}/stop-{unit.role}-{unit.release}",
                title=f"stop {name}{patience(unit)}",
                host=self._host,
                do=(self._stop(unit),),
                done=self._host_command("is-stopped", name),
                undo=self._start(unit),
            ),
        )

    def remove_steps(self, release: str, roles: Sequence[str]) -> tuple[Step, ...]:
        """Return the one step that removes a release; it fails, and removes nothing, while a container of it runs.

        Its image goes with it, unless a release of any service or destination of the host, or a container, needs it.
        """
        _refuse_names(release, *roles)
        return (
            Step(
                id=f"{self._host}/remove-{release}",
                title=f"remove {release}",
                host=self._host,
                do=(self._remove(release),),
                done=self._host_command("is-gone", *self._place(release)),
                harmless=True,
            ),
        )

    def finish_steps(self, release: str, version: str) -> tuple[Step, ...]:
        """Return the one step that names the image that serves now `latest`, as Kamal does."""
        if not version or release.startswith(KAMAL):
            return ()
        settings = self._settings
        return (
            Step(
                id=f"{self._host}/tag-latest",
                title=f"name the image of {release} {settings.latest.rpartition(':')[2]}",
                host=self._host,
                do=(self._host_command("finish", settings.image(version), settings.latest, settings.service),),
                repeatable=True,
                harmless=True,
            ),
        )

    def endpoint(self, unit: Unit) -> str:
        """Return `container:port`, as the proxy's container reaches it through the network that both are on."""
        return f"{self.container(unit)}:{self._settings.role(unit.role).app_port}"

    def one_off(self, unit: Unit, argv: Sequence[str]) -> Command:
        """Return a command that runs `argv` in a container of its own, with the image and environment of the unit."""
        _refuse_names(unit.role, unit.release)
        if unit.release.startswith(KAMAL):
            return once_of_kamal(self.container(unit), self._settings, argv, ONE_OFF_LIMIT_S)
        words = once_words(unit, self._settings, self._assets(unit), tuple(argv))
        env = self._layout.env(unit.release, unit.role)
        return self._script(self._scripts(unit), "launch", "once", env, *words, limit_s=ONE_OFF_LIMIT_S)

    def inside(self, unit: Unit, argv: Sequence[str]) -> Command:
        """Return `docker exec` in the unit's own container, with a terminal where there is one."""
        return Command(("sh", "-c", INSIDE_SCRIPT, "sh", self.container(unit), *argv), limit_s=ONE_OFF_LIMIT_S)

    def log_command(self, unit: Unit, asked: LogsAsked) -> Command:
        """Return `docker logs` with both streams of the container in one."""
        container = asked.container or self.container(unit)
        _refuse_names(container)
        return Command(("sh", "-c", LOGS_SCRIPT, "sh", *log_words(asked), container))

    def vitals(self, units: Sequence[Unit], watched: Mapping[str, str]) -> Command:  # noqa: ARG002  the protocol
        """Return the question about every container of the service, whichever role and release it is of."""
        settings = self._settings
        asked = vitals.question(
            "docker", watched, service=settings.service, destination=settings.destination, home=self._layout.home
        )
        return Command(("python3", "-I", "-S", "-", asked), stdin=(vitals.script(),), limit_s=vitals.LIMIT_S)

    def listings(self) -> Mapping[str, Command]:
        """Return `docker ps` and `docker image ls` of what carries the labels of the service, or its name."""
        return {name: Command(("docker", *words)) for name, words in listing_words(self._settings).items()}

    def container(self, unit: Unit) -> str:
        """Return the name of a unit's container. That of a release of Kamal's ends in its version, as Kamal has it."""
        _refuse_names(unit.role, unit.release)
        settings = self._settings
        end = unit.release.removeprefix(KAMAL)
        return "-".join(filter(None, (settings.service, unit.role, settings.destination, end)))

    def _describe_step(self, release: Release, units: Sequence[Unit]) -> Step:
        where, name = self._layout.release(release.release), release.release
        # The name of the image comes first: from now on nobody removes it.
        actions: list[Action] = [Upload(f"{where}/image", (self._settings.image(release.version),), 0o644)]
        actions += _uploads(where)
        for unit in units:
            container = self.container(unit)
            run_words(unit, container, self._settings, self._assets(unit))  # raises for what can never run
            actions.append(Upload(self._layout.env(name, unit.role), env_file(unit, container, self._settings), 0o600))
        return Step(
            id=f"{self._host}/describe-{name}",
            title=f"write the environment of {name}: {', '.join(unit.role for unit in units)}",
            host=self._host,
            do=tuple(actions),
            undo=(self._remove(name, "any"),),
            repeatable=True,
        )

    def _fetch_step(self, release: Release, units: Sequence[Unit]) -> Step:
        settings, name, version = self._settings, release.release, release.version
        image, mark = settings.image(version), self._layout.complete(name)
        source = settings.source(version)
        scripts = self._layout.release(name)
        fetch = self._script(scripts, "launch", "fetch", image, source, settings.service, limit_s=PULL_LIMIT_S)
        given = credentials(settings.login) if source and settings.login else ()
        actions: list[Action] = [replace(fetch, stdin=given)]
        for unit in units:
            if here := self._assets(unit):
                words = ("assets", image, settings.role(unit.role).asset_path, here.rpartition("/")[0])
                actions.append(self._script(scripts, "launch", *words, self._layout.releases, limit_s=PULL_LIMIT_S))
        return Step(
            id=self._fetch_id(name),
            title=f"{'pull' if source else 'check'} {image} for {name}",
            host=self._host,
            do=(*actions, Upload(mark, (version,), 0o644)),
            done=Command(("sh", "-c", HOLDS_SCRIPT, "sh", mark, version)),
            undo=(Command(("rm", "-f", "--", mark)),),
        )

    def _fetch_id(self, release: str) -> str:
        return f"{self._host}/fetch-{release}"

    def _start(self, unit: Unit) -> tuple[Action, ...]:
        name, scripts = self.container(unit), self._scripts(unit)
        if unit.release.startswith(KAMAL):
            begin = self._script(scripts, "launch", "start", name, limit_s=RUN_LIMIT_S)
            return (*_uploads(scripts), begin, self._proof(unit))
        words: tuple[str, ...] = ()
        if unit.version:  # without it only a kept container can be started
            words = (
                self._layout.env(unit.release, unit.role),
                *run_words(unit, name, self._settings, self._assets(unit)),
            )
        return (self._script(scripts, "launch", "start", name, *words, limit_s=RUN_LIMIT_S), self._proof(unit))

    def _proof(self, unit: Unit, *, once: bool = False) -> Command:
        """Return the command that waits until a unit works; `once` looks and does not wait."""
        settings = self._settings
        limit_s = max(settings.deploy_limit_s, unit.health.limit_s if unit.health else 0.0) + MARGIN_S
        words = (self.container(unit), question(unit, self._settings, once=once))
        return self._script(self._scripts(unit), "prove", *words, limit_s=limit_s)

    def _stop(self, unit: Unit) -> Command:
        seconds = str(int(unit.stop_s))
        return replace(self._host_command("stop", seconds, self.container(unit)), limit_s=unit.stop_s + MARGIN_S)

    def _remove(self, release: str, *words: str) -> Command:
        command = self._host_command("remove", *self._place(release), self._layout.root, *words)
        return replace(command, limit_s=PULL_LIMIT_S)

    def _place(self, release: str) -> tuple[str, str, str]:
        return self._layout.release(release), self._settings.service, self._settings.destination

    def _assets(self, unit: Unit) -> str:
        """Return the directory on the host that is mounted over the unit's assets, "" for none."""
        if not (unit.proxied and self._settings.role(unit.role).asset_path):
            return ""
        return f"{self._layout.release(unit.release)}/assets/{unit.role}/volume"

    def _scripts(self, unit: Unit) -> str:
        """Return where the scripts for a unit stand: it is always handled by those that its release was made with.

        Each unit of Kamal's release brings its own, since nobody prepared that release, and units start side by side.
        """
        release = self._layout.release(unit.release)
        return f"{release}/{unit.role}" if unit.release.startswith(KAMAL) else release

    @staticmethod
    def _script(where: str, name: str, *words: str, limit_s: float) -> Command:
        return Command(("python3", "-I", "-S", f"{where}/{name}.py", *words), limit_s=limit_s)

    @staticmethod
    def _host_command(verb: str, *words: str) -> Command:
        return Command(("sh", "-s", verb, *words), stdin=(resource("host.sh"),), limit_s=ENGINE_LIMIT_S)


def _uploads(where: str) -> tuple[Upload, ...]:
    """Return the scripts that a release carries, in the directory `where`."""
    scripts = [(name, resource(f"{name}_script.py")) for name in ("launch", "prove", "diagnosis")]
    return tuple(Upload(f"{where}/{name}.py", (text,), 0o644) for name, text in [*scripts, ("health", health.script())])


def credentials(login: Login) -> Text:
    """Return a configuration of Docker's client with the login of one registry, and nothing else.

    The client takes a user and a password as they are (cli/config/configfile of docker/cli), so no value has to stand
    in an argument, and none stays on the host.
    """
    server = login.server or DOCKER_HUB
    user, password = _json(login.username), _json(login.password)
    return (f'{{"auths": {{"{server}": {{"username": ', *user, ', "password": ', *password, "}}}\n")


def _json(text: Text) -> Text:
    return tuple(SecretRef(part.name, "json") if isinstance(part, SecretRef) else json.dumps(part) for part in text)


def _refuse_names(*names: str) -> None:
    for name in names:
        if not _NAME.match(name):
            raise ValueError(f"`{name}` cannot name a service, role or release: use letters, digits, `.`, `_`, `-`")


_: type[Runtime] = Docker
