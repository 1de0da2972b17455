"""Rules that look at more than one section; Kamal's first, in Kamal's words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shipway.config.check_nginx import check_nginx
from shipway.config.kinds import suggestion
from shipway.config.model import Accessory, Config, Role
from shipway.config.registry import Registry, check_registry
from shipway.config.report import Report
from shipway.config.root import Root
from shipway.config.tree import MapNode, Path, node_at
from shipway.config.unused import check_unused
from shipway.config.version import KAMAL_LEVEL, is_newer, is_version

_SERVICE = re.compile(r"[a-z0-9_-]+", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked: the file as it was written, and what became of it."""

    root: Root
    config: Config
    machine: str
    destinations: Sequence[str] = ()


def check_all(subject: Subject, report: Report) -> None:
    """Report every rule that the configuration breaks."""
    if subject.root.require_destination and subject.config.destination is None:
        # The rest may stand in the destination's file.
        _say_destination(subject.destinations, report)
        return
    _check_required(subject, report)
    _check_roles(subject, report)
    _check_values(subject.root, report)
    _check_schedulers(subject.config.roles, report)
    _check_ssl(subject.config.roles, report)
    _check_registry(subject, report)
    _check_tags(subject, report)
    _check_accessories(subject.config.accessories, report)
    _check_proxy_runs(subject.config, report)
    check_nginx(subject.config, report)
    check_unused(report, subject.config.runtime)


def _has(report: Report, *path: str) -> bool:
    return node_at(report.root, path) is not None


def _say_destination(names: Sequence[str], report: Report) -> None:
    others = f" (or {', '.join(names[1:])})" if names[1:] else ""
    hint = f"add -d {names[0]}{others}" if names else "add -d NAME"
    report.state("required", ("require_destination",), "You must specify a destination", next=hint)


def _check_required(subject: Subject, report: Report) -> None:
    root, config = subject.root, subject.config
    needs_image = root.runtime == "docker"
    hints = {"service": "add `service: name`", "image": "add `image: user/name`"}
    for name in ("service", "image") if needs_image else ("service",):
        is_wrong_type = _has(report, name) and getattr(root, name) is None
        if not getattr(config, name) and not is_wrong_type:
            report.state("required", (name,), f"Missing required configuration for {name}", next=hints[name])
    if needs_image and root.builder is None and not _has(report, "builder"):
        report.add("required", ("builder",), "Builder arch not set", next="add `builder:` with `arch: amd64`")
    if root.servers is None and not root.accessories and not (_has(report, "servers") or _is_filled(report)):
        what = "No servers or accessories specified"
        hint = "add `servers:` with a list of hosts"
        if subject.destinations and config.destination is None:
            hint += f", or a destination: -d {subject.destinations[0]}"
        report.state("required", ("servers",), what, next=hint)


def _is_filled(report: Report) -> bool:
    node = node_at(report.root, ("accessories",))
    return node is not None and not (isinstance(node, MapNode) and not node.entries)


def _check_roles(subject: Subject, report: Report) -> None:
    root, roles = subject.root, {role.name: role for role in subject.config.roles}
    if root.servers is None:
        return
    primary = root.primary_role or "web"
    if primary not in roles:
        if not _has(report, "servers", primary):
            hint = f"set primary_role to one of: {', '.join(roles)}" if roles else "add the role under `servers:`"
            path: Path = ("primary_role",) if root.primary_role else ("servers",)
            report.state("value", path, f"The primary_role {primary} isn't defined", next=hint)
    elif not roles[primary].hosts and _hosts_are_empty(primary, report):
        what = f"No servers specified for the {primary} primary_role"
        report.state("required", ("servers", primary), what, next="add its hosts")
    for name, role in roles.items():
        if name != primary and not role.hosts and not root.allow_empty_roles and _hosts_are_empty(name, report):
            what = f"No servers specified for the {name} role. You can ignore this with allow_empty_roles: true"
            report.state("required", ("servers", name), what, next="add its hosts, or `allow_empty_roles: true`")


def _hosts_are_empty(role: str, report: Report) -> bool:
    # Hosts that are there and wrong were reported one by one.
    wrong = re.compile(rf" servers/(?:{re.escape(role)}/|\d+)")
    return not any(wrong.search(found.where) for found in report.errors)


def _check_values(root: Root, report: Report) -> None:
    if root.service and not _SERVICE.fullmatch(root.service):
        what = "Service name can only include alphanumeric characters, hyphens, and underscores"
        report.state("value", ("service",), what, next=f"write `{re.sub('[^A-Za-z0-9_-]+', '-', root.service)}`")
    if root.retain_containers is not None and root.retain_containers < 1:
        what = "Must retain at least 1 container"
        report.state("value", ("retain_containers",), what, next="write 1 or more; without an old one no rollback")
    if root.minimum_version:
        if not is_version(root.minimum_version):
            report.add("value", ("minimum_version",), f"Malformed version number string {root.minimum_version}")
        elif is_newer(root.minimum_version, KAMAL_LEVEL):
            what = f"Current version is {KAMAL_LEVEL}, minimum required is {root.minimum_version}"
            report.state("value", ("minimum_version",), what, next="pip install --upgrade shipway")
    if root.run_directory is not None:
        report.warn("ignored", ("run_directory",), "has no effect", next="remove it; see state_directory")


def _check_schedulers(roles: Sequence[Role], report: Report) -> None:
    places = [(role, host) for role in roles if role.kind == "scheduler" for host in role.hosts]
    if len(places) > 1:
        what = f"{len(places)} schedulers run at once: {', '.join(f'{role.name} on {host}' for role, host in places)}"
        hint = "give one role of them one host, or let them agree on who starts a task (a lock, as redbeat has)"
        report.warn("conflict", ("servers", places[1][0].name), what, next=hint)


def _proxy_path(role: Role, report: Report, name: str) -> Path:
    own = ("servers", role.name, "proxy")
    return own if _has(report, *own, name) else ("proxy",)


def _check_ssl(roles: Sequence[Role], report: Report) -> None:
    encrypted = [(role, role.proxy) for role in roles if role.proxy is not None and role.proxy.ssl not in (None, False)]
    for role, proxy in encrypted:
        if len(role.hosts) > 1 and proxy.certificate is None:
            what = (
                "SSL is only supported on a single server unless you provide custom certificates, "
                f"found {len(role.hosts)} servers for role {role.name}"
            )
            hint = "put a load balancer in front and set `ssl: false`, or name a certificate under `ssl:`"
            report.state("conflict", (*_proxy_path(role, report, "ssl"), "ssl"), what, next=hint)
    counts = Counter(name for _, proxy in encrypted for name in proxy.names())
    shared = [name for name, count in counts.items() if count > 1]
    if shared:
        what = f"Different roles can't share the same host for SSL: {', '.join(shared)}"
        path = _proxy_path(encrypted[-1][0], report, "host")
        report.state("conflict", path, what, next="give each role a host of its own")


def _check_registry(subject: Subject, report: Report) -> None:
    root = subject.root
    registry, builder = root.registry, root.builder
    is_wanted = root.runtime == "docker" or registry is not None
    if is_wanted and (registry is not None or not _has(report, "registry")):
        check_registry(registry or Registry(), ("registry",), report)
    if registry is None or builder is None or not registry.is_local or not builder.remote_arches(subject.machine):
        return
    if not (builder.remote or "").startswith("ssh://"):
        what = "Local registry with remote builder requires an SSH URL (e.g., ssh://user@host)"
        report.state("conflict", ("builder", "remote"), what, next=f"write ssh://{builder.remote}")


def _check_tags(subject: Subject, report: Report) -> None:
    root = subject.root
    known = set(root.env.tags) if root.env else set()
    for accessory in root.accessories.values():
        known |= {*(accessory.tags or ()), *((accessory.tag,) if accessory.tag else ())}
    roles = root.servers.roles.values() if root.servers else ()
    tagged = [(host, tag) for role in roles for host in role.hosts for tag in host.tags]
    for host, tag in tagged:
        if tag in known:
            continue
        parts = [part for part in re.split(r"[,\s]+", tag) if part]
        if len(parts) > 1:
            hint = f"a list has brackets and commas: [{', '.join(parts)}]"
        else:
            hint = f"{suggestion(tag, known)} Define it under env/tags, or remove it"
        report.add("value", host.path, f"unknown tag: {tag}", next=hint)


def _check_accessories(accessories: Sequence[Accessory], report: Report) -> None:
    for accessory in accessories:
        path = ("accessories", accessory.name)
        if not accessory.hosts and not any(f" accessories/{accessory.name}" in found.where for found in report.errors):
            report.add("required", path, "runs on no host", next="name a host, or a role that has hosts")


def _check_proxy_runs(config: Config, report: Report) -> None:
    for host in config.hosts:
        runs = [
            (("servers", part.name) if isinstance(part, Role) else ("accessories", part.name), part.proxy.run)
            for part in config.parts
            if host in part.hosts and part.proxy is not None and part.proxy.run is not None
        ]
        for path, run in runs[1:]:
            if run != runs[0][1]:
                what = f"Conflicting proxy run configurations for host {host}"
                hint = "a host has one proxy: let all `proxy/run` sections of its roles and accessories agree"
                report.state("conflict", (*path, "proxy", "run"), what, next=hint)
                break
