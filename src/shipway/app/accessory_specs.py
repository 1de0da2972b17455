"""From the configuration to the accessories on their hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from shipway.adapters.accessory_files import read_accessory_file
from shipway.app.accessory_template import rendered
from shipway.app.docker_settings import login_of
from shipway.app.hosts import HostBasics
from shipway.app.proxy_site import accessory_caddy, accessory_endpoint
from shipway.app.service import Service
from shipway.config.accessories import Mount
from shipway.config.model import Accessory
from shipway.config.registry import Registry
from shipway.core.errors import ConfigError
from shipway.core.layout import Layout
from shipway.core.secret import SecretRef, Text
from shipway.planning.accessories import AccessoryTarget
from shipway.runtimes.docker import Login, Logs
from shipway.runtimes.docker.accessory import AccessorySpec, PlacedDirectory, PlacedFile, run_argv

_HUB = "docker.io"


def accessory_targets(service: Service, basics: Mapping[str, HostBasics]) -> tuple[AccessoryTarget, ...]:
    """Return every accessory on every host of it that `basics` has. Raises ConfigError for what cannot be run."""
    name = service.config.full_service
    return tuple(
        AccessoryTarget(
            Layout(basics[host].state, name),
            _spec(service, accessory, host, basics[host]),
            accessory_caddy(service, accessory, host, basics[host]),
            accessory_endpoint(accessory),
        )
        for accessory in service.config.accessories
        for host in accessory.hosts
        if host in basics
    )


def _spec(service: Service, accessory: Accessory, host: str, basics: HostBasics) -> AccessorySpec:
    config, where = service.config, f"accessories/{accessory.name}"
    home = basics.home or str(PurePosixPath(basics.state).parent)
    data = f"{home}/{accessory.service}"
    layout = Layout(basics.state, config.full_service)
    env = _env(accessory, host)
    files = tuple(
        PlacedFile(_below(data, file.remote), _body(service, file, env, where), file.mode or "755", file.owner or "")
        for file in accessory.files
    )
    try:
        spec = AccessorySpec(
            name=accessory.name,
            host=host,
            container=accessory.service,
            image=accessory.image,
            data=data,
            env_file=layout.accessory_env(accessory.name),
            launcher=layout.accessory_launcher,
            network=accessory.network,
            restart=accessory.restart,
            publish=accessory.port or "",
            binds=tuple(_binds(accessory, data, home)),
            options=accessory.options,
            labels=accessory.labels,
            logs=Logs(config.logging.driver or "", config.logging.resolved_options()),
            env=env,
            files=files,
            directories=tuple(
                PlacedDirectory(_place(data, one.local), one.mode or "", one.owner or "")
                for one in accessory.directories
            ),
            cmd=accessory.cmd or "",
            login=_login(config.registry, accessory),
            is_root=basics.is_root,
        )
        run_argv(spec)
    except ValueError as error:
        raise ConfigError("accessory.impossible", str(error), where=where, next="`shipway config`") from error
    return spec


def _env(accessory: Accessory, host: str) -> tuple[tuple[str, Text], ...]:
    """Return the environment: Kamal's own variable, then the user's. A clear value that is empty sets nothing."""
    clear: dict[str, Text] = {name: (value,) for name, value in accessory.env.texts().items() if value}
    secret: dict[str, Text] = {name: (SecretRef(source),) for name, source in accessory.env.secrets().items()}
    return tuple({"KAMAL_HOST": (host,), **clear, **secret}.items())


def _binds(accessory: Accessory, data: str, home: str) -> Iterator[str]:
    for volume in accessory.volumes:
        yield _at_home(volume, home)
    for file in accessory.files:
        yield _bind(_below(data, file.remote), file)
    for directory in accessory.directories:
        yield _bind(_place(data, directory.local), directory)


def _bind(source: str, mount: Mount) -> str:
    return ":".join(filter(None, (source, mount.remote, mount.options)))


def _below(data: str, path: str) -> str:
    """Return the place on the host of a file that the accessory sees at `path`."""
    return f"{data}/{path.strip('/')}"


def _place(data: str, path: str) -> str:
    """Return the place on the host of a directory: an absolute one stays where it is."""
    return path if path.startswith("/") else _below(data, path.removeprefix("./"))


def _at_home(volume: str, home: str) -> str:
    """Return a volume with what Kamal leaves to the shell of the host: `$PWD`, `$HOME` and `~`, all the home."""
    for word in ("$PWD/", "${PWD}/", "$HOME/", "${HOME}/", "~/", "./"):
        if volume.startswith(word):
            return f"{home}/{volume.removeprefix(word)}"
    return volume


def _body(service: Service, file: Mount, env: tuple[tuple[str, Text], ...], where: str) -> Text:
    text = read_accessory_file(service.directory, file.local, where)
    return rendered(text, file.local, env) if file.local.endswith("erb") else (text,)


def _login(root: Registry | None, accessory: Accessory) -> Login | None:
    """Return the login that the image needs: that of its own registry, or the root's where the image is from there."""
    own = accessory.registry
    if own is None and root is not None and not root.is_local and _server_of(accessory.image) == (root.server or _HUB):
        own = root
    return login_of(own)


def _server_of(image: str) -> str:
    """Return the registry that an image's name means: its first part, where that looks like a host."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else _HUB
