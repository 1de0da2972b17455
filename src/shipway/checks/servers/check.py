"""What is wrong with a server, from what it told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shipway.checks.servers.probe import Disk, ServerFacts
from shipway.checks.servers.systems import END_OF_LIFE
from shipway.checks.table import found
from shipway.core.errors import Finding

KB_PER_GB = 1_000_000
_LEAST_INODES = 0.03
_LEAST_SHARE = 0.10
"""Less free than this is worth a warning, whatever the size."""
_LEAST_AVAILABLE_KB = 200_000
"""A gunicorn worker of a Django project of middle size has 100 to 150 MB; a deploy starts a second set."""
_WORTH_SWAP_KB = 4_000_000
_MAX_SKEW_S = 5.0
"""Django refuses nothing for so little, and one-time passwords live 30 s."""
_MANY_RESTARTS = 3
OUR_PROXY, KAMAL_PROXY = "shipway-proxy", "kamal-proxy"
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Expected:
    """What the configuration wants of one server.

    `ports` are those that its proxy takes, `architectures` those that images are built for. `service` is the value of
    the label that its containers have, `accessories` the names of the containers of accessories there.
    `today` is `YYYY-MM-DD`. `is_docker`: releases, or accessories, run in containers there. `proxy` is the name of a
    program that may have the ports though it is not ours ("": none).
    """

    host: str
    service: str
    is_docker: bool = True
    ports: tuple[int, ...] = ()
    architectures: tuple[str, ...] = ()
    accessories: tuple[str, ...] = ()
    least_free_gb: float = 2.0
    today: str = ""
    proxy: str = ""


def check_server(facts: ServerFacts, expected: Expected, skew_s: float) -> tuple[Finding, ...]:
    """Return what is wrong with a server. `skew_s` is how far its clock is from ours."""
    if not facts.is_whole:
        return (found("server.unanswered", f"{expected.host} did not answer what was asked", expected.host),)
    parts = (
        _room(facts, expected),
        _memory(facts, expected),
        _system(facts, expected, skew_s),
        _ports(facts, expected),
        _firewall(facts, expected),
        _work(facts, expected),
    )
    return tuple(finding for part in parts for finding in part)


def _room(facts: ServerFacts, expected: Expected) -> Iterator[Finding]:
    host, seen = expected.host, set()
    for disk in facts.disks.values():
        if disk.mount in seen:
            continue
        seen.add(disk.mount)
        free_gb = disk.free / KB_PER_GB
        where = f"{host}: df {disk.mount}"
        if free_gb < expected.least_free_gb:
            yield found("server.disk", f"{host} has {free_gb:.1f} GB free on {disk.mount}", where)
        elif _share(disk) < _LEAST_SHARE:
            what = f"{host} has {_share(disk):.0%} free on {disk.mount} ({free_gb:.1f} GB)"
            yield found("server.disk", what, where, level="warning")
    for mount, disk in {disk.mount: disk for disk in facts.inodes.values()}.items():
        if disk.size > 0 and _share(disk) < _LEAST_INODES:
            what = f"{host} has {_share(disk):.1%} of its inodes free on {mount}"
            yield found("server.inodes", what, f"{host}: df -i {mount}")
    if not facts.may_write_state:
        yield found("server.state_unwritable", f"the login on {host} may not write the state directory", host)


def _share(disk: Disk) -> float:
    return disk.free / disk.size if disk.size > 0 else 1.0


def _memory(facts: ServerFacts, expected: Expected) -> Iterator[Finding]:
    host, available = expected.host, facts.available_kb
    if 0 <= available < _LEAST_AVAILABLE_KB:
        what = f"{host} has {available // 1000} MB of memory available of {facts.memory_kb // 1000}"
        yield found("server.memory", what, f"{host}: /proc/meminfo")
    if facts.swap_kb == 0 and 0 <= facts.memory_kb < _WORTH_SWAP_KB:
        yield found("server.no_swap", f"{host} has {facts.memory_kb // 1000} MB of memory and no swap", host)


def _system(facts: ServerFacts, expected: Expected, skew_s: float) -> Iterator[Finding]:
    host = expected.host
    if abs(skew_s) > _MAX_SKEW_S:
        direction = "ahead" if skew_s > 0 else "behind"
        what = f"the clock of {host} is {abs(skew_s):.0f} s {direction} of this machine's"
        yield found("server.clock", what, f"{host}: date")
    architecture = _ARCHITECTURES.get(facts.machine, facts.machine)
    if expected.is_docker and architecture and expected.architectures and architecture not in expected.architectures:
        what = f"{host} is {architecture}, and images are built for {', '.join(expected.architectures)}"
        yield found("server.architecture", what, f"{host}: uname -m")
    end = END_OF_LIFE.get(facts.os) if facts.os else None
    if facts.os and end and expected.today > end:
        what = f"{host} runs {facts.os[0].capitalize()} {facts.os[1]}, whose security updates ended on {end}"
        yield found("server.end_of_life", what, f"{host}: /etc/os-release")
    if facts.wants_reboot:
        yield found("server.reboot_needed", f"{host} waits for a reboot", f"{host}: /run/reboot-required")
    if facts.has_updates is False:
        yield found("server.no_updates", f"{host} installs no security updates by itself", host)
    if not facts.has_systemd and not expected.is_docker:
        yield found("server.no_systemd", f"{host} has no systemd", host)


def _ports(facts: ServerFacts, expected: Expected) -> Iterator[Finding]:
    host = expected.host
    for port in expected.ports:
        who = facts.ports.get(port, "")
        if not who or who in ("ours", OUR_PROXY, expected.proxy):
            continue
        if who == KAMAL_PROXY:
            yield found("server.kamal_proxy", f"Kamal's proxy has port {port} of {host}", host)
        else:
            name = "another program" if who == "unknown" else who
            yield found("server.port_taken", f"port {port} of {host} is taken by {name}", f"{host}: ss -ltnp")


def _firewall(facts: ServerFacts, expected: Expected) -> Iterator[Finding]:
    host, active = expected.host, facts.firewalls - {"none"}
    if facts.firewalls and not active:
        yield found("server.no_firewall", f"no firewall is active on {host}", host)
    # What Docker publishes goes past ufw (docs.docker.com, "Packet filtering and firewalls").
    if "ufw" in active and not expected.is_docker:
        for port in expected.ports:
            if not any(_lets_in(rule, port) for rule in facts.open):
                what = f"the firewall of {host} does not let port {port} in"
                yield found("server.firewall_closed", what, f"{host}: ufw status", f"ufw allow {port}/tcp")


_APPS = {"WWW": (80, 443), "Nginx": (80, 443), "Apache": (80, 443)}
"""First words of the profiles that Debian's packages bring (`Nginx Full`)."""


def _lets_in(rule: str, port: int) -> bool:
    """Tell whether a rule as `ufw status` writes it (`80/tcp`, `80,443/tcp`, `8000:9000/tcp`) lets a TCP port in."""
    ports, _, protocol = rule.partition("/")
    if protocol not in ("", "tcp"):
        return False
    if ports in _APPS:
        return port in _APPS[ports]
    for part in ports.split(","):
        first, _, last = part.partition(":")
        if first.isdigit() and (last or first).isdigit() and int(first) <= port <= int(last or first):
            return True
    return False


def _work(facts: ServerFacts, expected: Expected) -> Iterator[Finding]:
    host = expected.host
    for one in facts.containers:
        is_ours = one.service == expected.service or one.name in expected.accessories
        if is_ours and (one.restarts >= _MANY_RESTARTS or one.state == "restarting"):
            what = f"{one.name} on {host} was restarted {one.restarts} times"
            yield found("server.restarts", what, f"{host}: docker inspect {one.name}", f"docker logs {one.name}")
    if facts.leftovers:
        what = f"{', '.join(facts.leftovers)} never became whole on {host}"
        yield found("server.leftovers", what, host)
    for name in expected.accessories:
        state = facts.names.get(name)
        if state and state not in ("running", "restarting"):
            yield found("server.accessory_down", f"{name} on {host} does not run ({state})", host)
        elif facts.is_used and facts.names and state is None:
            yield found("server.accessory_down", f"there is no container {name} on {host}", host)
