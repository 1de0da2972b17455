"""The steps of accessories. Whatever stops or replaces one can be taken back until the new one answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from shipway.core.action import Action, Command, Upload
from shipway.core.facts import AccessoryFacts
from shipway.core.step import Step
from shipway.runtimes.docker import accessory_scripts as scripts
from shipway.runtimes.docker.accessory import AccessorySpec, config_digest, fetch_argv, run_argv
from shipway.runtimes.docker.accessory_ready import ready_command, ready_title
from shipway.runtimes.docker.environment import assignments
from shipway.runtimes.docker.resource import resource
from shipway.runtimes.docker.runtime import credentials

PULL_LIMIT_S = 1800.0
_DOCKER_LIMIT_S = 120.0
_STOP_MARGIN_S = 60.0

NETWORK_SCRIPT = (  # two that make it at once: the second finds it there
    'docker network create -- "$1" >/dev/null 2>&1; docker network inspect -- "$1" >/dev/null'
)


def script(text: str, *words: str, limit_s: float = _DOCKER_LIMIT_S) -> Command:
    """Return the command that runs the constant script `text` with `words`."""
    return Command(("sh", "-c", text, "sh", *words), limit_s=limit_s)


def network_step(host: str, network: str) -> Step:
    """Return the step that makes the Docker network, which stays."""
    return Step(
        id=f"{host}/create-network-{network}",
        title=f"create the Docker network {network}",
        host=host,
        do=(script(NETWORK_SCRIPT, network),),
        done=Command(("docker", "network", "inspect", "--", network), limit_s=_DOCKER_LIMIT_S),
        harmless=True,
    )


def place_step(spec: AccessorySpec) -> Step:
    """Return the step that writes the accessory's environment, files and directories. Data is never touched."""
    return Step(
        id=f"{spec.host}/place-{spec.name}",
        title=f"write the environment, files and directories of {spec.container}",
        host=spec.host,
        do=tuple(_placing(spec)),
        repeatable=True,
        harmless=True,
    )


def _placing(spec: AccessorySpec) -> Iterator[Action]:
    sudo = "" if spec.is_root else "sudo -n"
    for directory in spec.directories:
        yield script(scripts.DIRECTORY_SCRIPT, directory.path, directory.mode, directory.owner, sudo)
    for file in spec.files:
        yield script(scripts.DIRECTORY_SCRIPT, str(PurePosixPath(file.path).parent), "", "", sudo)
        yield Upload(file.path, file.body, 0o600)
        yield script(scripts.PLACE_SCRIPT, file.path, file.mode, file.owner, sudo)
    yield Upload(spec.env_file, assignments(spec.env), 0o600)


def pull_step(spec: AccessorySpec, *, is_fresh: bool) -> Step:
    """Return the step that gets the image. `is_fresh`: the newest one of that tag, although one is there."""
    fetch = ("sh", "-c", scripts.FETCH_SCRIPT, "sh", spec.image, *fetch_argv(spec))
    login = credentials(spec.login) if spec.login is not None else ()
    return Step(
        id=f"{spec.host}/pull-{spec.name}",
        title=f"pull {spec.image}",
        host=spec.host,
        do=(launcher(spec), Command(fetch, stdin=login, limit_s=PULL_LIMIT_S)),
        done=None if is_fresh else Command(("docker", "image", "inspect", "--", spec.image), limit_s=_DOCKER_LIMIT_S),
        repeatable=is_fresh,
        harmless=True,
    )


def launcher(spec: AccessorySpec) -> Upload:
    """Return the upload of the script that pulls images and makes containers."""
    return Upload(spec.launcher, (resource("launch_script.py"),), 0o600)


def run_step(spec: AccessorySpec) -> Step:
    """Return the step that starts a new container. Undo removes it; its data stays."""
    return Step(
        id=f"{spec.host}/run-{spec.name}",
        title=f"start {spec.container} from {spec.image}",
        host=spec.host,
        do=(launcher(spec), Command(run_argv(spec), limit_s=_DOCKER_LIMIT_S)),
        done=script(scripts.RUNNING_SCRIPT, spec.container, config_digest(spec)),
        undo=(script(scripts.REMOVE_SCRIPT, spec.container),),
    )


def start_step(spec: AccessorySpec) -> Step:
    """Return the step that starts a container that is there."""
    return Step(
        id=f"{spec.host}/start-{spec.name}",
        title=f"start {spec.container}",
        host=spec.host,
        do=(Command(("docker", "start", "--", spec.container), limit_s=_DOCKER_LIMIT_S),),
        done=script(scripts.IS_UP_SCRIPT, spec.container),
        undo=(_stop(spec),),
    )


def stop_step(spec: AccessorySpec) -> Step:
    """Return the step that stops a container; undo starts it again."""
    return Step(
        id=f"{spec.host}/stop-{spec.name}",
        title=f"stop {spec.container}",
        host=spec.host,
        do=(_stop(spec),),
        done=script(scripts.STOPPED_SCRIPT, spec.container),
        undo=(Command(("docker", "start", "--", spec.container), limit_s=_DOCKER_LIMIT_S),),
    )


def restart_step(spec: AccessorySpec) -> Step:
    """Return the step that stops a container and starts it again: one step, for nobody wants it half done."""
    return Step(
        id=f"{spec.host}/restart-{spec.name}",
        title=f"restart {spec.container}",
        host=spec.host,
        do=(Command(("docker", "restart", "-t", str(spec.stop_s), "--", spec.container), limit_s=_limit_s(spec)),),
        undo=(Command(("docker", "start", "--", spec.container), limit_s=_DOCKER_LIMIT_S),),
        repeatable=True,
    )


def _stop(spec: AccessorySpec) -> Command:
    return Command(("docker", "stop", "-t", str(spec.stop_s), "--", spec.container), limit_s=_limit_s(spec))


def _limit_s(spec: AccessorySpec) -> float:
    return spec.stop_s + _STOP_MARGIN_S


def ready_step(spec: AccessorySpec) -> Step:
    """Return the step that waits until the accessory answers."""
    return Step(
        id=f"{spec.host}/await-{spec.name}",
        title=ready_title(spec),
        host=spec.host,
        do=(ready_command(spec),),
        repeatable=True,
        harmless=True,
    )


def set_aside_step(spec: AccessorySpec, facts: AccessoryFacts) -> Step:
    """Return the step that stops the old container and keeps it under another name; undo brings it back."""
    was_running = "yes" if facts.is_running else "no"
    return Step(
        id=f"{spec.host}/set-aside-{spec.name}",
        title=f"stop {spec.container} and keep it as {spec.aside}",
        host=spec.host,
        do=(script(scripts.ASIDE_SCRIPT, spec.container, spec.aside, str(spec.stop_s), limit_s=_limit_s(spec)),),
        done=script(scripts.IS_ASIDE_SCRIPT, spec.container, spec.aside),
        undo=(script(scripts.BACK_SCRIPT, spec.container, spec.aside, was_running),),
    )


def drop_aside_step(spec: AccessorySpec) -> Step:
    """Return the step that removes the container that stood aside."""
    return Step(
        id=f"{spec.host}/drop-{spec.name}",
        title=f"remove {spec.aside}",
        host=spec.host,
        do=(script(scripts.REMOVE_SCRIPT, spec.aside),),
        done=script(scripts.IS_GONE_SCRIPT, spec.aside),
        harmless=True,
    )
