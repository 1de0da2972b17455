"""An accessory on one host: what its container is made of, and the arguments of `docker run`.

Names and places are Kamal's (container `<service>-<name>`, data below `~/<service>-<name>/`), so that what Kamal
started is found again with its data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.core.secret import SecretRef, Text
from shipway.runtimes.docker.arguments import label_words, logging_words, option_words
from shipway.runtimes.docker.settings import Login, Logs, OptionValue, Scalar
from shipway.runtimes.docker.words import escaped, quoted, raw, split

CONFIG_LABEL = "shipway.config"
"""The label that holds a digest of what the container was started with."""
NAME_LABEL = "shipway.accessory"


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """A file of the operator at `path` on the host. `mode` as chmod takes it, `owner` as chown does ("": nobody's)."""

    path: str
    body: Text
    mode: str = "755"
    owner: str = ""


@dataclass(frozen=True, slots=True)
class PlacedDirectory:
    """A directory at `path` on the host; mode and owner stay as they are where they are ""."""

    path: str
    mode: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessorySpec:
    """One accessory on one host.

    `container` is the name of the container, `data` the directory below which its files and directories stand,
    `env_file` the file with its environment, `launcher` the script that makes its container. `publish` is a port as
    `docker run --publish` takes it ("" for none), `binds` are volumes, `cmd` is the command as it was written ("" for
    the image's own). `login` is None where none is needed. `is_root`: the login on the host is root, so that no sudo
    is needed to give files away.
    """

    name: str
    host: str
    container: str
    image: str
    data: str
    env_file: str
    launcher: str
    network: str = "kamal"
    restart: str = "unless-stopped"
    publish: str = ""
    binds: tuple[str, ...] = ()
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    labels: Mapping[str, Scalar] = field(default_factory=dict)
    logs: Logs = field(default_factory=Logs)
    env: tuple[tuple[str, Text], ...] = ()
    files: tuple[PlacedFile, ...] = ()
    directories: tuple[PlacedDirectory, ...] = ()
    cmd: str = ""
    stop_s: int = 30
    login: Login | None = None
    is_root: bool = True

    @property
    def aside(self) -> str:
        """The name of the old container while a new one is being tried."""
        return f"{self.container}-before"


def common_flags(spec: AccessorySpec) -> tuple[str, ...]:
    """Return the arguments of `docker run` that the accessory's container and one-off ones share, as `words`."""
    volumes = (f"--volume={raw(bind)}" for bind in spec.binds)
    return (f"--network={spec.network}", *volumes, *option_words(spec.options))


def service_flags(spec: AccessorySpec) -> tuple[str, ...]:
    """Return the arguments that only the lasting container has."""
    publish = (f"--publish={quoted(spec.publish)}",) if spec.publish else ()
    return (f"--restart={spec.restart}", *publish, *logging_words(spec.logs), *label_words(spec.labels))


def run_argv(spec: AccessorySpec) -> tuple[str, ...]:
    """Return the command that starts the accessory; its environment comes from its env file.

    Raises ValueError for a `cmd` that is no simple command, and for options that are Shipway's own.
    """
    ours = label_words({NAME_LABEL: spec.name, CONFIG_LABEL: config_digest(spec)})
    flags = ("--detach", "--name", spec.container, *service_flags(spec), *ours, *common_flags(spec))
    words = ("docker", "run", *flags, spec.image, *_cmd(spec))
    return _launch(spec, "start", spec.container, spec.env_file, *words)


def one_off_argv(spec: AccessorySpec, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that runs `words` in a new container of the accessory's image, which is then removed."""
    line = ("docker", "run", "--rm", "--interactive", *common_flags(spec), spec.image, *map(escaped, words))
    return _launch(spec, "once", spec.env_file, *line)


def fetch_argv(spec: AccessorySpec) -> tuple[str, ...]:
    """Return the command that pulls the image; credentials are its input."""
    return _launch(spec, "fetch", spec.image, spec.image, "")


def _launch(spec: AccessorySpec, *words: str) -> tuple[str, ...]:
    return ("python3", "-I", "-S", spec.launcher, *words)


def _cmd(spec: AccessorySpec) -> tuple[str, ...]:
    try:
        return split(spec.cmd)
    except ValueError as error:
        raise ValueError(f"the `cmd` of `{spec.name}` is {error}") from error


def config_digest(spec: AccessorySpec) -> str:
    """Return twelve hex digits that change with what the container is started with; secrets count by their names."""
    body = [
        spec.image,
        *common_flags(spec),
        *service_flags(spec),
        spec.cmd,
        *(f"{name}={_shown(value)}" for name, value in sorted(spec.env)),
        *(f"{file.path} {file.mode} {file.owner} {_shown(file.body)}" for file in spec.files),
    ]
    text = json.dumps(body, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _shown(text: Text) -> str:
    return "".join(f"<{part.name}>" if isinstance(part, SecretRef) else part for part in text)
