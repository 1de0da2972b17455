"""The root of the file: every key that a configuration may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shipway.config.accessories import ACCESSORY, AccessorySection
from shipway.config.aliases import ALIASES
from shipway.config.boot import Boot
from shipway.config.builder import Builder, check_builder
from shipway.config.container_logs import Logging
from shipway.config.django import Django, ReleasePolicy, Venv, check_relative
from shipway.config.env import EnvKind, EnvSection
from shipway.config.hooks import DEFAULT_PATH, HOOKS_OUTPUT, HooksSection
from shipway.config.keys import ListOf, MapOf, Section, key
from shipway.config.kinds import Boolean, Integer, Plain, Text
from shipway.config.options import check_label
from shipway.config.output import Output
from shipway.config.proxy import PROXY_TREE
from shipway.config.registry import Registry, RegistryKind
from shipway.config.servers import Servers, ServersKind
from shipway.config.ssh import Ssh, Sshkit, check_ssh
from shipway.config.tree import Node, ScalarValue

Runtime = Literal["docker", "venv"]
Transport = Literal["ssh", "local"]

SHIPWAY_KEYS = ("runtime", "transport", "state_directory", "project", "django", "shared", "venv", "release", "hooks")
SHIPWAY_SECTION = "x-shipway"
DEFAULT_SECRETS = ".kamal/secrets"

_ACCESSORY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def _check_accessory_name(name: str) -> str:
    return "" if _ACCESSORY_NAME.fullmatch(name) else "a name has letters, digits, `_`, `-` and `.` only"


def _check_state_directory(text: str) -> str:
    return "" if text.startswith(("/", "~/")) and ".." not in text.split("/") else "should be an absolute path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The file as it was written, destination merged, before roles and accessories are resolved."""

    service: str | None = key(Text(), "The name of the application: the prefix of containers, labels and directories.")
    image: str | None = key(Text(), "The image's name, without registry and tag.", default="`service`, for localhost:")
    servers: Servers | None = key(ServersKind(), "The hosts: a list (all of role `web`), or a map of roles.")
    registry: Registry | None = key(
        RegistryKind(Section(Registry)),
        "Where images are kept; `none` sends them to the hosts through their SSH connections.",
    )
    builder: Builder | None = key(Section(Builder, check=check_builder), "How the image is built.")
    env: EnvSection | None = key(EnvKind(has_tags=True), "Environment: variables, or `clear`, `secret` and `tags`.")
    proxy: Node | None = key(PROXY_TREE, "What takes public traffic.")
    accessories: Mapping[str, AccessorySection] = key(
        MapOf(ACCESSORY, check=_check_accessory_name), "PostgreSQL, Redis and the like, by name.", value={}
    )
    labels: Mapping[str, ScalarValue] | None = key(MapOf(Plain(), check=check_label), "Further labels of containers.")
    volumes: tuple[str, ...] = key(ListOf(Text()), "Volumes of all roles: `/host/path:/path`.", value=())
    asset_path: str | None = key(Text(), "A directory of the image whose files of two releases are served together.")
    hooks_path: str | None = key(Text(), "The directory of hooks.", default=DEFAULT_PATH)
    hooks_output: str | Mapping[str, str] | None = key(
        HOOKS_OUTPUT, "`quiet` or `verbose`, for all hooks or for each.", default="as -q and -v say"
    )
    secrets_path: str | None = key(Text(), "The base name of the secrets files.", default=DEFAULT_SECRETS)
    error_pages_path: str | None = key(Text(), "A directory with pages such as 503.html.")
    require_destination: bool | None = key(Boolean(), "Whether `-d` must be given.", default="false")
    primary_role: str | None = key(Text(), "The role that gates the others.", default="web")
    allow_empty_roles: bool | None = key(Boolean(), "Whether a role may have no hosts.", default="false")
    retain_containers: int | None = key(Integer(), "Old releases kept for a rollback.", default="5")
    minimum_version: str | None = key(Text(), "The least version of Kamal that this file needs; 2.12.0 is understood.")
    readiness_delay: int | None = key(
        Integer(least=0, unit="s"), "Seconds that a process without health check must stay up.", default="7"
    )
    deploy_timeout: int | None = key(
        Integer(least=1, unit="s"),
        "Seconds in which a release must become healthy. An answer that settings decide (a redirection, 4xx)"
        " ends the wait when it has been the same for 5 s.",
        default="30",
    )
    drain_timeout: int | None = key(
        Integer(least=0, unit="s"), "Seconds that requests in flight are waited for.", default="30"
    )
    stop_timeout: int | None = key(Integer(least=0, unit="s"), "Seconds that any process may take to end.")
    run_directory: str | None = key(Text(), "Accepted for older files; it has no effect.")
    ssh: Ssh = key(Section(Ssh, check=check_ssh), "How hosts are reached.", value=Ssh())
    sshkit: Sshkit = key(Section(Sshkit), "Limits for many connections.", value=Sshkit())
    boot: Boot = key(Section(Boot), "How many hosts get a release at once.", value=Boot())
    logging: Logging = key(Section(Logging), "Where Docker keeps what containers print.", value=Logging())
    output: Output = key(Section(Output), "Where the progress of a command is kept.", value=Output())
    aliases: Mapping[str, str] = key(ALIASES, "One's own names for commands.", value={})
    runtime: Runtime = key(
        Text(choices=("docker", "venv")),
        "How releases run: in containers, or in virtualenvs.",
        default="docker",
        value="docker",
    )
    transport: Transport = key(
        Text(choices=("ssh", "local")),
        "How hosts are reached; `local`: they are this machine.",
        default="ssh",
        value="ssh",
    )
    state_directory: str | None = key(
        Text(check=_check_state_directory),
        "Where Shipway keeps everything on a host.",
        default="`/var/lib/shipway` for root, else `~/.shipway`",
    )
    project: str = key(
        Text(check=check_relative),
        "The directory of the Django project in the repository.",
        default="its root",
        value="",
    )
    django: Django = key(Section(Django), "The Django project.", value=Django())
    shared: tuple[str, ...] = key(
        ListOf(Text(check=check_relative)), "Paths in the project that outlive releases, e.g. `var`.", value=()
    )
    venv: Venv = key(Section(Venv), "The virtualenv of a release.", value=Venv())
    release: ReleasePolicy = key(Section(ReleasePolicy), "What a release may do.", value=ReleasePolicy())
    hooks: HooksSection = key(Section(HooksSection), "What hooks get.", value=HooksSection())


ROOT = Section(Root, free="x-")
