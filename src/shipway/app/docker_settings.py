"""What the docker runtime must know of a service, from the configuration."""

from __future__ import annotations

from shipway.config.model import Config, Role
from shipway.config.registry import Inline, Registry
from shipway.core.errors import ConfigError
from shipway.core.secret import Text
from shipway.runtimes.docker import DockerSettings, Login, Logs, RoleSettings
from shipway.runtimes.docker.delivery import PullFrom, from_here, is_delivered, wanted_port

_APP_PORT = 80  # of Kamal


def docker_settings_of(config: Config, pull: PullFrom | None = None) -> DockerSettings:
    """Return the settings of the docker runtime. Raises ConfigError where the configuration names no image.

    `pull`: where a host gets the image of a new release from; None where no release is on its way.
    """
    if not config.repository:
        raise ConfigError("config.required", "the configuration names no image", next="write `image: NAME`")
    return DockerSettings(
        service=config.service,
        destination=config.destination or "",
        repository=config.repository,
        login=login_of(config.registry),
        pull_from=_source(config, pull),
        pulls=pull is None or bool(pull.source),
        volumes=config.volumes,
        roles={role.name: _role(role) for role in config.roles},
        readiness_s=float(config.readiness_delay_s),
        deploy_limit_s=float(config.deploy_timeout_s),
    )


def _source(config: Config, pull: PullFrom | None) -> str:
    """Return the repository that hosts pull from, "" for the image's own; a plan that is only shown has no way yet."""
    registry, repository = config.registry, config.repository or ""
    if pull is not None or registry is None or not is_delivered(registry):
        return pull.source if pull is not None and pull.is_delivered else ""
    return from_here(repository, wanted_port(registry, config.full_service), "image").source


def login_of(registry: Registry | None) -> Login | None:
    """Return how hosts log in to a registry; None where no login is needed."""
    if registry is None or registry.is_local or registry.username is None or registry.password_ref is None:
        return None
    user = registry.username
    name: Text = (user.value,) if isinstance(user, Inline) else (user,)
    return Login(registry.server or "", name, (registry.password_ref,))


def _role(role: Role) -> RoleSettings:
    asset, proxy = role.asset_path, role.proxy
    return RoleSettings(
        options=role.options,
        labels=role.labels,
        logs=Logs(role.logging.driver or "", role.logging.resolved_options()),
        restart=role.restart,
        asset_path=asset.path if asset else "",
        asset_options=(asset.options or "") if asset else "",
        app_port=(proxy.app_port if proxy else None) or _APP_PORT,
    )
