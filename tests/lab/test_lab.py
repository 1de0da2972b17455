"""The lab itself: what every other test on servers takes for granted."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fixtures import Lab, LabHost
from tests.lab.images import TABLE
from tests.lab.shell import Answer, ask

NUMBERS = (1, 2)  # every lab has these
ON_SERVERS = [tag for image in TABLE if image.on_servers for tag in image.tags]


@pytest.fixture(params=NUMBERS, ids=lambda number: f"lab{number}")
def host(lab: Lab, request: pytest.FixtureRequest) -> LabHost:
    return lab.host(request.param)


def log_in(lab: Lab, config: Path, password: str) -> Answer:
    """Into a client configuration of the test's own: nobody else is logged in or out by it."""
    words = ("docker", "login", "--username", lab.registry.username, "--password-stdin", lab.registry.server)
    return ask(words, stdin=password, environment={**lab.environment, "DOCKER_CONFIG": str(config)})


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_ssh_enters_by_the_written_configuration(lab: Lab, host: LabHost, user: str) -> None:
    answer = lab.ssh(host, "id -un; hostname; sudo -n id -u", user=user)
    assert (answer.status, answer.out.split()) == (0, [user, host.name, "0"]), answer.err


def test_ssh_enters_by_address_as_well(lab: Lab, host: LabHost) -> None:
    answer = ask(("ssh", "-F", lab.ssh_config, host.address, "hostname"), limit_s=30)
    assert (answer.status, answer.out.strip()) == (0, host.name), answer.err


def test_systemd_runs_with_no_failed_unit(host: LabHost) -> None:
    assert host.run("cat", "/proc/1/comm").out.strip() == "systemd"
    assert host.run("systemctl", "is-system-running").out.strip() == "running"


def test_systemd_keeps_a_process_within_its_memory(host: LabHost) -> None:
    hungry = "x = bytearray(300 * 2**20)"
    words = ("systemd-run", "--wait", "--quiet", "--collect", "-p", "MemoryMax=64M", "-p", "MemorySwapMax=0")
    assert host.run(*words, "python3", "-c", "pass").status == 0
    assert host.run(*words, "python3", "-c", hungry).status != 0


def test_docker_runs_a_container(host: LabHost) -> None:
    words = ("run", "--rm", "--network=none", "--memory=64m", "python:3.11-slim", "python", "-c", "print(6 * 7)")
    answer = host.docker(*words)
    assert (answer.status, answer.out.strip()) == (0, "42"), answer.err


@pytest.mark.parametrize("tag", ON_SERVERS)
def test_images_are_there_without_a_pull(host: LabHost, tag: str) -> None:
    assert host.docker("image", "inspect", tag).status == 0


def test_servers_reach_each_other_by_name(lab: Lab) -> None:
    script = "import socket, sys; print(socket.create_connection((sys.argv[1], 22), 5).recv(4))"
    for here, there in ((1, 2), (2, 1)):
        answer = lab.host(here).run("python3", "-c", script, lab.host(there).name)
        assert (answer.status, answer.out.strip()) == (0, "b'SSH-'"), answer.err


def test_registry_asks_for_the_password(lab: Lab, tmp_path: Path) -> None:
    bad = log_in(lab, tmp_path, "not-the-password")
    assert bad.status != 0
    assert "401" in bad.err or "unauthorized" in bad.err.lower()
    good = log_in(lab, tmp_path, lab.registry.password)
    assert good.status == 0, good.err


@pytest.fixture
def pushed(lab: Lab, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The reference of an image that was built and pushed by the operator, and what it prints."""
    word = secrets.token_hex(8)
    name = f"{lab.registry.server}/lab-test:{word}"
    (tmp_path / "Dockerfile").write_text(f'FROM python:3.11-slim\nRUN echo {word} >/word\nCMD ["cat", "/word"]\n')
    built = lab.docker("build", "--quiet", "--tag", name, tmp_path, limit_s=120)
    assert built.status == 0, built.err
    assert log_in(lab, tmp_path, lab.registry.password).status == 0
    environment = {**lab.environment, "DOCKER_CONFIG": str(tmp_path)}
    sent = ask(("docker", "push", "--quiet", name), limit_s=120, environment=environment)
    assert sent.status == 0, sent.err
    yield name, word
    lab.docker("image", "rm", name)


def test_server_pulls_with_no_way_outside(lab: Lab, host: LabHost, pushed: tuple[str, str]) -> None:
    name, word = pushed
    docker = ("docker", "--config", "/tmp/lab-test")  # nobody's login is changed
    login = (*docker, "login", "--username", lab.registry.username, "--password-stdin", lab.registry.server)
    route = host.run("ip", "route", "show", "default").out.split()
    host.run("ip", "route", "delete", "default")
    try:
        assert host.run(*docker, "pull", name).status != 0, "the registry gave an image to a stranger"
        entered = host.run(*login, stdin=lab.registry.password)
        assert entered.status == 0, entered.err
        pulled = host.run(*docker, "pull", name)
        assert pulled.status == 0, pulled.err
        assert pulled.out.count("Already exists") >= 2, "the layers of python:3.11-slim travelled again"
        assert host.docker("run", "--rm", name).out.strip() == word
    finally:
        host.run("ip", "route", "add", *route)
        host.run("rm", "-rf", "/tmp/lab-test")
        host.docker("image", "rm", "--force", name)


def test_operator_has_a_registry_for_localhost(lab: Lab) -> None:
    assert lab.docker("image", "inspect", "registry:3", "registry:2").status == 0


def test_wipe_leaves_images_and_nothing_else(host: LabHost) -> None:
    made = host.docker("run", "--detach", "--name=left-over", "--volume=left:/data", "redis:7")
    assert made.status == 0, made.err
    host.docker("network", "create", "left-over")
    host.run("mkdir", "-p", "/var/lib/shipway/shop")
    host.wipe()
    assert host.docker("ps", "--all", "--quiet").out == ""
    assert host.docker("volume", "ls", "--quiet").out == ""
    assert host.docker("network", "ls", "--quiet", "--filter=type=custom").out == ""
    assert host.run("test", "-e", "/var/lib/shipway").status == 1
    assert host.docker("image", "inspect", *ON_SERVERS).status == 0


def test_relay_counts_and_delays(lab: Lab) -> None:
    target = lab.host(1)
    with lab.relay(latency_ms=200, host=target) as relay:
        begin = time.monotonic()
        with socket.create_connection((relay.address, relay.port), timeout=10) as near:
            assert near.recv(4) == b"SSH-"
        assert time.monotonic() - begin >= 0.3  # the handshake, and half a round trip for the server's first word
        through = ("ssh", "-F", lab.ssh_config, "-p", str(relay.port), "-o", f"HostName={relay.address}")
        answer = ask((*through, "-o", f"HostKeyAlias={target.name}", target.name, "hostname"), limit_s=60)
        assert (answer.status, answer.out.strip()) == (0, target.name), answer.err
        assert relay.connections == 2


def test_relay_can_be_cut(lab: Lab) -> None:
    with lab.relay(latency_ms=0) as relay, socket.create_connection((relay.address, relay.port), timeout=10) as near:
        assert near.recv(4) == b"SSH-"
        relay.cut()
        near.settimeout(10)
        while near.recv(4096):  # what was under way before the cut
            pass
