"""Servers that are Python functions: one exchange for each, what a bare one lacks, and one that cannot be reached."""

import asyncio
from types import SimpleNamespace

from shipway.adapters.clock import SystemClock
from shipway.adapters.fake import FakeTransport, Fault
from shipway.app.doctor.servers import Asking, Seen, see_servers
from shipway.checks.servers.probe import PROBE_SCRIPT
from shipway.config.load import load_config
from shipway.core.ports import Request, Result
from shipway.runtimes.bootstrap import PROBE_SCRIPT as PROGRAMS_SCRIPT

CONFIG = """\
service: shop
image: me/shop
registry: {server: registry.example.org, username: me, password: [PASSWORD]}
builder: {arch: amd64}
servers: {web: {hosts: [a, b]}}
proxy: {host: shop.example.org}
"""
BARE = "begin 1\nmachine x86_64\nstate yes\nports known\n{more}end 1\n"
PROGRAMS = "uid=0\nuser=root\nos=debian debian\napt=yes\npython3=yes\nsystemd=yes\n"


def see(
    more: str = "", programs: str = PROGRAMS, faults: tuple[Fault, ...] = ()
) -> tuple[FakeTransport, dict[str, Seen]]:
    def answer(request: Request) -> Result:
        words = request.command.argv
        if PROBE_SCRIPT in words:
            return Result(0, BARE.format(more=more).encode())
        return Result(0, programs.encode() if PROGRAMS_SCRIPT in words else b"")

    transport = FakeTransport({"a": answer, "b": answer}, faults=faults)
    service = SimpleNamespace(config=load_config({"config/deploy.yml": CONFIG}))
    asking = Asking(service, transport, SystemClock())
    return transport, asyncio.run(see_servers(asking, ("a", "b")))


def told(seen: Seen) -> list[str]:
    return [f"{finding.level} {finding.code}" for finding in seen.findings]


def test_a_bare_server_lacks_what_setup_brings() -> None:
    _, seen = see()
    assert told(seen["a"]) == ["warning docker.missing"]


def test_on_a_server_in_use_it_is_an_error() -> None:
    _, seen = see("service yes\n")
    assert told(seen["a"]) == ["error docker.missing"]
    _, seen = see("service yes\n", PROGRAMS + "docker=yes\nsaid=Cannot connect to the Docker daemon\n")
    assert told(seen["b"]) == ["error docker.stopped"]


def test_what_setup_may_not_install_is_an_error() -> None:
    _, seen = see(programs=PROGRAMS.replace("uid=0", "uid=7").replace("root", "ann"))
    assert told(seen["a"]) == ["error docker.missing", "error setup.no_sudo"]


def test_each_server_is_asked_in_one_exchange_that_changes_nothing() -> None:
    transport, _ = see()
    assert {heard.track for heard in transport.transcript} == {"main"}
    assert all(not heard.request.command.sudo for heard in transport.transcript)


def test_a_server_that_cannot_be_reached_is_a_finding_and_the_other_is_told_of() -> None:
    _, seen = see(faults=(Fault("a", 1, unreachable=True),))
    assert seen["a"].facts is None
    assert [finding.level for finding in seen["a"].findings] == ["error"]
    assert seen["b"].facts is not None
