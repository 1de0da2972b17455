"""An accessory on one host: what its container is made of, and the arguments of `docker run`.

Names and places are Kamal's (container `<service>-<name>`, data below `~/<service>-<name>/`), so that what Kamal
started is found again with its data.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from shipway.core.secret import SecretRef, Text
from shipway.runtimes.docker.accessory_scripts import RUN_SCRIPT

CONFIG_LABEL = "shipway.config"
"""The label that holds a digest of what the container was started with."""
NAME_LABEL = "shipway.accessory"


Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Login:
    """A registry that wants a login. `server` "" is Docker Hub."""

    server: str
    username: Text
    password: Text


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
    `env_file` the file with its environment. `publish` is a port as `docker run --publish` takes it ("" for none),
    `binds` are volumes, `cmd` is the command as it was written ("" for the image's own). `login` is None where none is
    needed. `is_root`: the login on the host is root, so that no sudo is needed to give files away.
    """

    name: str
    host: str
    container: str
    image: str
    data: str
    env_file: str
    network: str = "kamal"
    restart: str = "unless-stopped"
    publish: str = ""
    binds: tuple[str, ...] = ()
    options: Mapping[str, Value | tuple[Value, ...]] = field(default_factory=dict)
    labels: Mapping[str, Value] = field(default_factory=dict)
    log_driver: str = ""
    log_options: Mapping[str, Value | tuple[Value, ...]] = field(default_factory=dict)
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
    """Return the arguments of `docker run` that the accessory's container and one-off ones share."""
    volumes = (f"--volume={bind}" for bind in spec.binds)
    return (f"--network={spec.network}", *volumes, *_flags("", spec.options))


def service_flags(spec: AccessorySpec) -> tuple[str, ...]:
    """Return the arguments that only the lasting container has."""
    publish = (f"--publish={spec.publish}",) if spec.publish else ()
    driver = (f"--log-driver={spec.log_driver}",) if spec.log_driver else ()
    return (
        f"--restart={spec.restart}",
        *publish,
        *driver,
        *_flags("log-opt", spec.log_options),
        *_flags("label", spec.labels),
    )


def _flags(flag: str, values: Mapping[str, Value | tuple[Value, ...]]) -> tuple[str, ...]:
    """Return `--flag=name=value`, or `--name=value` without a flag; `true` is the bare option, a list repeats it."""
    words = []
    for name, value in values.items():
        for item in value if isinstance(value, tuple) else (value,):
            bare = f"--{flag}={name}" if flag else f"--{name}"
            words.append(bare if item is None or (item is True and not flag) else f"{bare}={_word(item)}")
    return tuple(words)


def _word(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def run_argv(spec: AccessorySpec) -> tuple[str, ...]:
    """Return the command that starts the accessory; its environment comes from its env file."""
    words = ("--detach", "--name", spec.container, *service_flags(spec), *_labels(spec), *common_flags(spec))
    return _by_script(spec, (*words, spec.image, *shlex.split(spec.cmd)))


def one_off_argv(spec: AccessorySpec, words: tuple[str, ...], *, is_terminal: bool) -> tuple[str, ...]:
    """Return the command that runs `words` in a new container of the accessory's image, which is then removed."""
    how = ("--rm", "--interactive", *(("--tty",) if is_terminal else ()))
    return _by_script(spec, (*how, *common_flags(spec), spec.image, *words))


def _by_script(spec: AccessorySpec, words: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(dict(spec.env))
    return ("sh", "-c", RUN_SCRIPT, "sh", spec.env_file, str(len(names)), *names, *words)


def _labels(spec: AccessorySpec) -> tuple[str, ...]:
    ours = {NAME_LABEL: spec.name, CONFIG_LABEL: config_digest(spec)}
    return tuple(word for name, value in ours.items() for word in ("--label", f"{name}={value}"))


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
