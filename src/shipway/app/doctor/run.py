"""One call of `shipway doctor`: the parts that were asked for, as many of them at once as can be."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from shipway.adapters.clock import SystemClock
from shipway.adapters.config_files import DEFAULT_FILES
from shipway.adapters.redact import Redactor
from shipway.app.call import Caller, Choice
from shipway.app.context import hooks_of
from shipway.app.doctor.answers import Asked, Diagnosis
from shipway.app.doctor.outside import Around, check_outside, needed_services
from shipway.app.doctor.project import check_directory, fix_project
from shipway.app.doctor.reading import ReadProject, read_project
from shipway.app.doctor.servers import Asking, see_servers
from shipway.app.select import select
from shipway.app.service import Service, load_service
from shipway.app.transport import transport_of
from shipway.checks.check import PARTS, Part
from shipway.core.errors import ConfigError, Finding

Findings = tuple[Finding, ...]
_NO_HOSTS = "the configuration names no servers"


async def diagnose(choice: Choice, caller: Caller, asked: Asked) -> Diagnosis:
    """Return what is wrong with a project, its servers and what stands around them. Raises ConfigError, UsageError."""
    began_s = time.monotonic()
    service = _load(choice)
    hosts = select(choice.hosts, service.config.hosts, "host") if service is not None else ()
    left_out = _left_out(asked, service, hosts)
    case = await asyncio.to_thread(_open, service, choice)
    looking = asyncio.create_task(asyncio.to_thread(_look, case, "project" not in left_out))
    of_servers: Findings = ()
    of_outside: Findings = ()
    if service is not None and not {"servers", "outside"} <= left_out.keys():
        of_servers, of_outside = await _reach(service, case, (choice, caller), asked, hosts)
    of_project = await looking
    fixed = fix_project(case.directory, case.read, of_project) if asked.fixes else ()
    if fixed:
        case = await asyncio.to_thread(_open, _load(choice), choice)
        of_project = await asyncio.to_thread(_look, case, True)
    findings: dict[Part, Findings] = {"project": of_project, "servers": of_servers, "outside": of_outside}
    kept = {part: findings[part] for part in PARTS if part not in left_out}
    return Diagnosis(kept, fixed, left_out, time.monotonic() - began_s)


@dataclass(frozen=True, slots=True)
class _Case:
    """A project as it was read, with its secrets resolved; `missing` are those that could not be."""

    service: Service | None
    directory: Path
    file: str
    read: ReadProject
    missing: Findings


def _open(service: Service | None, choice: Choice) -> _Case:
    directory = Path(service.directory) if service is not None else Path.cwd()
    file = choice.config_file or next((name for name in DEFAULT_FILES if (directory / name).exists()), DEFAULT_FILES[0])
    read = read_project(directory, service.config if service is not None else None)
    return _Case(service, directory, file, read, _missing_secrets(service))


def _look(case: _Case, is_wanted: bool) -> Findings:  # noqa: FBT001  called by a thread, which takes no names
    if not is_wanted:
        return ()
    service = case.service
    config, secrets = (service.config, service.secrets.source) if service is not None else (None, None)
    found = check_directory(case.directory, case.read, config, secrets, case.file)
    return (*found, *(config.warnings if config is not None else ()), *case.missing)


def _load(choice: Choice) -> Service | None:
    """Return the service; None where there is no configuration yet and none was named."""
    try:
        return load_service(choice)
    except ConfigError as error:
        if error.code != "config.missing" or choice.config_file is not None:
            raise
        return None


def _left_out(asked: Asked, service: Service | None, hosts: tuple[str, ...]) -> dict[Part, str]:
    """Return the parts that are not looked at; with a reason for those that were not meant to be left out."""
    left_out: dict[Part, str] = {part: "" for part in PARTS if part not in asked.parts}
    for part in ("servers", "outside"):
        if part in left_out:
            continue
        if asked.offline:
            left_out[part] = "--offline"
        elif service is None or not hosts:
            left_out[part] = "there is no configuration" if service is None else _NO_HOSTS
    return left_out


def _missing_secrets(service: Service | None) -> Findings:
    if service is None:
        return ()
    try:
        service.secrets.check()
    except ConfigError as error:
        return error.findings or (Finding(error.code, error.what, where=error.where, next=error.next),)
    return ()


async def _reach(
    service: Service, case: _Case, call: tuple[Choice, Caller], asked: Asked, hosts: tuple[str, ...]
) -> tuple[Findings, Findings]:
    """Return the findings of servers, and of what is around them."""
    choice, caller = call
    redactor = Redactor.of(service.secrets)
    caller.on_secrets(lambda text: redactor.clean(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace"))
    clock, transport = SystemClock(), transport_of(service)
    services = needed_services(service, case.read.project) if "outside" in asked.parts else ()
    local = tuple(one for one in services if one.is_local and service.config.runtime == "docker")
    remote = tuple(one for one in services if one not in local)
    asking = Asking(service, transport, clock, remote, asked.least_free_gb, choice.options)
    try:
        await hooks_of(service, choice, caller, redactor).run("pre-connect")
        seen = await see_servers(asking, hosts)
    finally:
        await transport.close()
    of_servers = tuple(finding for one in seen.values() for finding in one.findings)
    if "outside" not in asked.parts:
        return of_servers, ()
    outside = await check_outside(Around(service, seen, remote, local, clock))
    if "servers" not in asked.parts:  # a server that was not reached could not be asked either
        lost = tuple(finding for one in seen.values() if one.facts is None for finding in one.findings)
        return (), (*lost, *outside)
    return of_servers, outside
