"""From the file as it was written to `Config`: defaults, merged roles, hosts of accessories."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.config.accessories import AccessorySection
from shipway.config.env import Env, merge_envs
from shipway.config.hooks import resolve_hooks
from shipway.config.kinds import suggestion
from shipway.config.model import Accessory, AssetPath, Config, Labels, Role
from shipway.config.options import flags_of, restart_of
from shipway.config.proxy import Proxy, merged_proxy
from shipway.config.report import Report
from shipway.config.root import DEFAULT_SECRETS, Root
from shipway.config.schedule_hosts import resolve_schedule
from shipway.config.servers import RoleSection, kind_of
from shipway.config.tree import MapNode, Path
from shipway.config.verify import resolve_verify
from shipway.config.warm_stop import LONGEST_TASK_S, warm_stop

DEFAULT_NETWORK = "kamal"
# Kamal's defaults, in seconds and releases (configuration.rb)
_RETAIN, _READINESS_S, _DEPLOY_S, _DRAIN_S = 5, 7, 30, 30


@dataclass(frozen=True, slots=True)
class Resolver:
    """Builds the parts of one configuration; what is wrong goes into `report`."""

    root: Root
    destination: str | None
    machine: str
    report: Report

    def config(self) -> Config:
        """Return the configuration; it is to be used only if the report has no error."""
        root, report = self.root, self.report
        roles = self._roles()
        registry = root.registry
        image = root.image or (
            root.service if registry is not None and (registry.is_local or registry.is_none) else None
        )
        return Config(
            service=root.service or "",
            destination=self.destination,
            runtime=root.runtime,
            transport=root.transport,
            image=image,
            registry=registry,
            builder=root.builder,
            builder_kind=root.builder.kind(self.machine) if root.builder else None,
            roles=roles,
            primary_role=self.primary_name if roles else None,
            accessories=tuple(self._accessory(name, section) for name, section in root.accessories.items()),
            proxy=merged_proxy(root.proxy, None, ("proxy",), report),
            boot=root.boot,
            ssh=root.ssh,
            sshkit=root.sshkit,
            logging=root.logging,
            output=root.output,
            hooks=resolve_hooks(root.hooks_path, root.hooks_output, root.hooks, report),
            aliases=root.aliases,
            volumes=root.volumes,
            secrets_path=root.secrets_path or DEFAULT_SECRETS,
            error_pages_path=root.error_pages_path,
            retain=_or(root.retain_containers, _RETAIN),
            readiness_delay_s=_or(root.readiness_delay, _READINESS_S),
            deploy_timeout_s=_or(root.deploy_timeout, _DEPLOY_S),
            drain_timeout_s=self.drain_s,
            stop_timeout_s=root.stop_timeout,
            state_directory=root.state_directory,
            project=root.project,
            django=root.django,
            shared=root.shared,
            venv=root.venv,
            release=root.release,
            verify=resolve_verify(root.verify),
            notify=root.notify,
            schedule=resolve_schedule(root.schedule, roles, self.primary_name, report),
        )

    @property
    def primary_name(self) -> str:
        """The name of the primary role, whether it exists or not."""
        return self.root.primary_role or "web"

    @property
    def drain_s(self) -> int:
        """Seconds that requests in flight are waited for."""
        return _or(self.root.drain_timeout, _DRAIN_S)

    def _roles(self) -> tuple[Role, ...]:
        servers = self.root.servers
        return tuple(self._role(name, section) for name, section in servers.roles.items()) if servers else ()

    def _role(self, name: str, section: RoleSection) -> Role:
        root, is_primary = self.root, name == self.primary_name
        is_proxied = section.proxy is not False if is_primary else section.proxy not in (None, False)
        own = section.proxy if isinstance(section.proxy, MapNode) else None
        path: Path = ("servers", name, "proxy")
        proxy = merged_proxy(root.proxy, own, path, self.report) if is_proxied else None
        warm = None if is_proxied else warm_stop(section.cmd)
        stop_s = section.stop_timeout if section.stop_timeout is not None else root.stop_timeout
        if stop_s is None and not is_proxied:
            stop_s = LONGEST_TASK_S if warm else self.drain_s
        tags = {host.name: host.tags for host in section.hosts}
        return Role(
            name=name,
            kind=kind_of(name, section, is_proxied=is_proxied),
            is_primary=is_primary,
            hosts=tuple(tags),
            tags=tags,
            env={host: self._env(section, host_tags) for host, host_tags in tags.items()},
            labels=self._labels(name, section),
            logging=section.logging.over(root.logging) if section.logging else root.logging,
            options=flags_of(section.options),
            restart=restart_of(section.options),
            cmd=section.cmd,
            stop_timeout_s=stop_s,
            stop_signal=(section.stop_signal or (warm.signal if warm else "TERM")).removeprefix("SIG"),
            proxy=proxy,
            asset_path=_asset_path(section.asset_path or root.asset_path) if is_proxied else None,
        )

    def _env(self, section: RoleSection, tags: tuple[str, ...]) -> Env:
        root = self.root.env
        of_tags = [root.tags[tag] for tag in tags if root is not None and tag in root.tags]
        return merge_envs(env for env in (root, section.env, *of_tags) if env is not None)

    def _labels(self, name: str, section: RoleSection) -> Labels:
        own = {"service": self.root.service, "role": name, "destination": self.destination}
        return {**own, **(self.root.labels or {}), **(section.labels or {})}

    def _accessory(self, name: str, section: AccessorySection) -> Accessory:
        service = section.service or f"{self.root.service}-{name}"
        path: Path = ("accessories", name)
        server = section.registry.server if section.registry else None
        return Accessory(
            name=name,
            service=service,
            image="/".join(filter(None, (server, section.image))),
            registry=section.registry,
            hosts=tuple(dict.fromkeys(self._hosts(section, path))),
            port=_port(section.port),
            cmd=section.cmd,
            env=merge_envs((section.env,) if section.env else ()),
            labels={"service": service, **(section.labels or {})},
            options=flags_of(section.options),
            restart=restart_of(section.options),
            files=section.files,
            directories=section.directories,
            volumes=section.volumes,
            network=section.network or DEFAULT_NETWORK,
            proxy=self._accessory_proxy(section, (*path, "proxy")),
        )

    def _accessory_proxy(self, section: AccessorySection, path: Path) -> Proxy | None:
        node = section.proxy
        if not isinstance(node, MapNode) or not node.entries:
            return None
        return merged_proxy(None, node, path, self.report)

    def _hosts(self, section: AccessorySection, path: Path) -> tuple[str, ...]:
        if section.host is not None:
            return (section.host,)
        if section.hosts is not None:
            return section.hosts
        if section.role is not None:
            return self._hosts_of_roles((section.role,), (*path, "role"))
        if section.roles is not None:
            return self._hosts_of_roles(section.roles, (*path, "roles"))
        tags = section.tags if section.tag is None else (section.tag,)
        return self._hosts_of_tags(tags or (), (*path, "tags" if section.tag is None else "tag"))

    def _hosts_of_roles(self, names: tuple[str, ...], path: Path) -> tuple[str, ...]:
        servers = self.root.servers
        roles = servers.roles if servers else {}
        unknown = [name for name in names if name not in roles]
        if unknown:
            words = "unknown roles" if path[-1] == "roles" else "unknown role"
            what = f"{path[0]}/{path[1]}: {words} {', '.join(unknown)}"
            self.report.state("value", path, what, next=suggestion(unknown[0], roles))
        return tuple(host.name for name in names if name in roles for host in roles[name].hosts)

    def _hosts_of_tags(self, tags: tuple[str, ...], path: Path) -> tuple[str, ...]:
        servers = self.root.servers
        if servers is None or not tags:
            return ()
        if servers.is_list:
            hint = "write `servers:` as a map, `web: [...]`, or name the hosts with `hosts:`"
            self.report.add("value", path, "tags find hosts only where `servers` is a map of roles", next=hint)
            return ()
        hosts = [host for role in servers.roles.values() for host in role.hosts]
        known = sorted({tag for host in hosts for tag in host.tags})
        for tag in tags:
            if tag not in known:
                self.report.add("value", path, f"no host has the tag `{tag}`", next=suggestion(tag, known))
        return tuple(host.name for tag in tags for host in hosts if tag in host.tags)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _port(port: str | None) -> str | None:
    return port if port is None or ":" in port else f"{port}:{port}"


def _asset_path(text: str | None) -> AssetPath | None:
    if not text:
        return None
    path, _, options = text.partition(":")
    return AssetPath(path, options or None)
