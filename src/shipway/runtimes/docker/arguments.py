"""The words of `docker run`: what Kamal 2.12 gives it (commands/app.rb, utils.rb), as one argument vector.

Words are of `words.py`: `${NAME}` is the host's, `$$` is a dollar.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from shipway.core.logs import LogsAsked
from shipway.core.unit import Unit
from shipway.runtimes.docker.settings import DockerSettings, Logs, OptionValue, RoleSettings, Scalar
from shipway.runtimes.docker.words import escaped, quoted, raw, split

_OURS = frozenset({"name", "detach", "d", "rm", "cidfile"})
_FLAG = re.compile(r"[A-Za-z][A-Za-z0-9-]*\Z")
_HOSTNAME_CHARS = 51  # of Kamal; with a dash and 12 hexadecimal digits this is Linux' limit of 64


def hostname(host: str, container: str) -> str:
    """Return the name that a container has for itself: its host's, and what tells it from its neighbours there."""
    place = re.sub(r"[^A-Za-z0-9.-]", "-", host)[:_HOSTNAME_CHARS].strip(".-") or "host"
    return f"{place}-{hashlib.sha256(container.encode()).hexdigest()[:12]}"


def run_words(unit: Unit, container: str, settings: DockerSettings, assets: str) -> tuple[str, ...]:
    """Return `docker run` of a unit. `assets` is the directory of its bridged assets on the host ("" for none).

    Raises ValueError for options that would take the container out of our hands, and for a `cmd` that is no simple
    command.
    """
    role = settings.role(unit.role)
    base, own = base_labels(unit, settings), {"version": unit.version, "release": unit.release}
    return (
        "docker", "run", "--detach",
        f"--restart={role.restart}",
        "--name", container,
        f"--network={settings.network}",
        "--hostname", hostname(unit.host, container),
        *logging_words(role.logs),
        *signal_words(unit),
        *volume_words(settings, role, assets),
        *label_words({**base, **role.labels, **base, **own}),
        *option_words(role.options),
        settings.image(unit.version),
        *command_words(unit),
    )  # fmt: skip


def once_words(unit: Unit, settings: DockerSettings, assets: str, argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return `docker run` of a command that ends by itself, in the release and environment of `unit`."""
    role = settings.role(unit.role)
    options = {name: value for name, value in role.options.items() if name not in ("publish", "p", "ip", "hostname")}
    return (
        "docker", "run", "--rm", "--interactive",
        f"--network={settings.network}",
        *logging_words(role.logs),
        *volume_words(settings, role, assets),
        *label_words({"service": settings.service, "destination": settings.destination or None, "oneoff": "true"}),
        *option_words(options),
        settings.image(unit.version),
        *(escaped(word) for word in argv),
    )  # fmt: skip


def base_labels(unit: Unit, settings: DockerSettings) -> dict[str, Scalar]:
    """Return the labels by which Kamal, and we, find the containers of a role."""
    return {"service": settings.service, "role": unit.role, "destination": settings.destination or None}


def logging_words(logs: Logs) -> tuple[str, ...]:
    """Return `--log-driver` and `--log-opt`."""
    driver = (f"--log-driver={quoted(logs.driver)}",) if logs.driver else ()
    opts = [(name, value) for name, value in logs.options.items() if not isinstance(value, tuple)]
    return (*driver, *(f"--log-opt={name}={quoted(_text(value))}" for name, value in opts))


def signal_words(unit: Unit) -> tuple[str, ...]:
    """Return `--stop-signal` where the role asks for another one than the image's own."""
    return () if unit.stop_signal == "TERM" else (f"--stop-signal=SIG{unit.stop_signal}",)


def volume_words(settings: DockerSettings, role: RoleSettings, assets: str) -> tuple[str, ...]:
    """Return `--volume` for the service's volumes and for bridged assets."""
    words = [f"--volume={raw(volume)}" for volume in settings.volumes]
    if assets:
        options = f":{role.asset_options}" if role.asset_options else ""
        words.append(f"--volume={escaped(assets)}:{raw(role.asset_path)}{raw(options)}")
    return tuple(words)


def label_words(labels: Mapping[str, Scalar]) -> tuple[str, ...]:
    """Return `--label`; one without a value stands alone."""
    return tuple(
        f"--label={name}" if value is None or value == "" else f"--label={name}={quoted(_text(value))}"
        for name, value in labels.items()
    )


def option_words(options: Mapping[str, OptionValue]) -> tuple[str, ...]:
    """Return the user's own flags: `true` is the bare flag, a list repeats it. Raises ValueError for some."""
    words: list[str] = []
    for name, value in options.items():
        if name in _OURS or not _FLAG.match(name):
            raise ValueError(f"`options` cannot have `{name}`: Shipway decides it")
        for item in value if isinstance(value, tuple) else (value,):
            dashes = "-" if len(name) == 1 else "--"
            words.append(f"{dashes}{name}" if item is True else f"{dashes}{name}={quoted(_text(item))}")
    return tuple(words)


def command_words(unit: Unit) -> tuple[str, ...]:
    """Return the words of the role's `cmd`; none asks for the image's own command."""
    try:
        return split(unit.cmd)
    except ValueError as error:
        raise ValueError(f"the `cmd` of `{unit.role}` is {error}") from error


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def log_words(asked: LogsAsked) -> tuple[str, ...]:
    """Return the flags of `docker logs`. Raises ValueError for a time that would be read as a flag."""
    if asked.since.startswith("-"):
        raise ValueError(f"`{asked.since}` is no time: write 10m, 2h or 2026-01-31T12:00:00")
    words = ["--tail", str(max(0, asked.lines))]
    words += ["--since", asked.since] if asked.since else []
    words += ["--timestamps"] if asked.has_times else []
    words += ["--follow"] if asked.follows else []
    return tuple(words)


def listing_words(settings: DockerSettings) -> Mapping[str, tuple[str, ...]]:
    """Return the words after `docker` that list the service's containers and its images."""
    labels = (f"service={settings.service}", f"destination={settings.destination}")
    filters = (word for label in labels for word in ("--filter", f"label={label}"))
    return {"containers": ("container", "ls", "--all", *filters), "images": ("image", "ls", settings.repository)}
