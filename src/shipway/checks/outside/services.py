"""The services that a project needs: found in its variables, asked for from its servers by a TCP connection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from shipway.checks.table import found
from shipway.core.action import Command
from shipway.core.errors import Finding
from shipway.core.ports import Result

_PORTS = {
    "postgres": 5432, "postgresql": 5432, "postgis": 5432, "pgsql": 5432, "psql": 5432,
    "mysql": 3306, "mysqlgis": 3306, "mariadb": 3306,
    "redis": 6379, "rediss": 6379, "valkey": 6379,
    "amqp": 5672, "amqps": 5671, "pyamqp": 5672,
    "mongodb": 27017, "memcached": 11211,
    "smtp": 25, "smtps": 465, "smtp+tls": 587, "smtp+ssl": 465, "submission": 587,
}  # fmt: skip
"""The usual port of each scheme that database, broker and mail URLs have."""
_MAIL = ("smtp", "smtps", "submission")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,250}[A-Za-z0-9_])?|[0-9a-fA-F:]{2,45}")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_MAX_PORT = 65_535
Said = Literal["ok", "refused", "timeout", "no-name", "unreachable"]
_SAID: Mapping[str, Said] = {word: word for word in get_args(Said)}
_LINE = re.compile(rf"([0-9]{{1,3}}) ({'|'.join(_SAID)})")
CONNECT_SCRIPT = """\
import socket, subprocess, sys, threading
def address(name):
    try:
        words = ("docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", name)
        told = subprocess.run(words, capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL).stdout.split()
        return told[0] if told else name
    except (OSError, subprocess.SubprocessError):
        return name
def ask(number, name, port, by_docker):
    try:
        socket.create_connection((address(name) if by_docker else name, port), 4).close()
        said = "ok"
    except socket.gaierror:
        said = "no-name"
    except ConnectionRefusedError:
        said = "refused"
    except socket.timeout:
        said = "timeout"
    except OSError:
        said = "unreachable"
    print(number, said, flush=True)
threads = []
for number, line in enumerate(sys.stdin.read().splitlines()):
    name, port, by_docker = line.split()
    thread = threading.Thread(target=ask, args=(number, name, int(port), by_docker == "docker"), daemon=True)
    thread.start()
    threads.append(thread)
for thread in threads:
    thread.join(12)
"""
"""Connects to each `name port way` of its input at once. A container's name means its address in Docker's network."""
_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Service:
    """Something that the application connects to. `source` is the variable or setting that says so.

    `is_shown`: its address may be told. A value that is a secret as a whole may not.
    """

    source: str
    host: str
    port: int
    is_mail: bool = False
    is_shown: bool = True

    @property
    def is_local(self) -> bool:
        """Whether it is on the machine (or in the container) of the application itself."""
        return self.host in _LOCAL

    def __str__(self) -> str:
        """Return how it is told of: with its address, which a URL's secret part is not."""
        return f"{self.source} ({self.host}:{self.port})" if self.is_shown else self.source


def services_of(values: Mapping[str, str]) -> tuple[Service, ...]:
    """Return the services in the values of variables, in their order; each address once."""
    services: dict[tuple[str, int], Service] = {}
    for name, value in values.items():
        service = service_of(name, value)
        if service is not None:
            services.setdefault((service.host, service.port), service)
    return tuple(services.values())


def service_of(name: str, value: str) -> Service | None:
    """Return the service that the value of a variable leads to; None for a value that is no such URL."""
    try:
        parts = urlsplit(value.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    usual = _PORTS.get(scheme, _PORTS.get(scheme.partition("+")[0], 0))
    if not usual or not _HOST.fullmatch(host):
        return None
    return Service(name, host, port or usual, is_mail=scheme.partition("+")[0] in _MAIL)


def named_service(source: str, host: str, port: int, *, is_mail: bool, is_shown: bool = True) -> Service | None:
    """Return a service whose host and port are known by themselves; None where they cannot be."""
    if not _HOST.fullmatch(host) or not 0 < port <= _MAX_PORT:
        return None
    return Service(source, host, port, is_mail, is_shown)


def connect(services: Sequence[Service], *, by_docker: bool) -> Command:
    """Return the question that tries to reach each of `services` from a host. Addresses are no words of a command."""
    way = "docker" if by_docker else "plain"
    lines = "".join(f"{one.host} {one.port} {way}\n" for one in services)
    return Command(("python3", "-I", "-c", CONNECT_SCRIPT), stdin=(lines,), limit_s=_LIMIT_S)


def parse_connect(result: Result, count: int) -> dict[int, Said]:
    """Return what was said of each service, by its number; lines of other forms are passed over."""
    answers: dict[int, Said] = {}
    for line in result.text[:20_000].splitlines():
        match = _LINE.fullmatch(line)
        if match and int(match[1]) < count:
            answers[int(match[1])] = _SAID[match[2]]
    return answers


_WORDS: Mapping[Said, str] = {
    "refused": "the connection was refused",
    "timeout": "there was no answer",
    "no-name": "the name has no address there",
    "unreachable": "there is no way to it",
}


def check_services(host: str, services: Sequence[Service], answers: Mapping[int, Said]) -> Iterator[Finding]:
    """Find services that `host` cannot reach."""
    if services and not answers:
        what = f"{host} could not be asked whether it reaches {', '.join(map(str, services))}"
        yield found("outside.service_unknown", what, host)
    for number, service in enumerate(services):
        said = answers.get(number, "ok")
        if said == "ok":
            continue
        code = "outside.smtp" if service.is_mail else "outside.service_unreachable"
        yield found(code, f"{host} does not reach {service}: {_WORDS[said]}", f"{host}, {service.source}")


def check_local(services: Sequence[Service]) -> Iterator[Finding]:
    """Find services at localhost, for an application in a container."""
    for service in services:
        if service.is_local:
            what = f"{service} is localhost, which in a container is the container itself"
            yield found("project.localhost_service", what, service.source)
