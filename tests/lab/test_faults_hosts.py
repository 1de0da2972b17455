"""What is wrong with a host before anything is changed there: told, while the release goes on serving everywhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.lab.fault_site import HOME, FaultSite
from tests.lab.fixtures import LabHost
from tests.live.machine import wait_until
from tests.live.test_bad_input import assert_told

NOBODY = "nobody-there"
PLAIN = "plain"
_PLAIN = """\
useradd -m -s /bin/bash "$1" && mkdir -p "/home/$1/.ssh" && cp /lab/authorized_keys "/home/$1/.ssh/" \
  && chown -R "$1" "/home/$1/.ssh" && chmod -R go= "/home/$1/.ssh"
"""


def other_key(shop: FaultSite) -> str:
    """Return the options for a client that knows the second server by the key of the first."""
    one, two = shop.hosts
    kind, key = one.run("cat", "/lab/host_key.pub").out.split()[:2]
    known = shop.home / "known_hosts"
    known.write_text(f"{two.name},{two.address} {kind} {key}\n")
    return f"  UserKnownHostsFile {known}"


def no_key(shop: FaultSite) -> str:
    known = shop.home / "known_hosts"
    known.touch()
    return f"  UserKnownHostsFile {known}"


def nobody_at(shop: FaultSite) -> str:
    return f"  HostName {shop.hosts[1].address.rpartition('.')[0]}.250"


WAYS: dict[str, tuple[Callable[[FaultSite], str], set[str], str]] = {
    "the host is down": (nobody_at, {"ssh.no_route", "ssh.timeout"}, "ssh "),
    "its sshd is down": (lambda _: "  HostName 127.0.0.1\n  Port 9", {"ssh.refused"}, "ssh "),
    "the host key changed": (other_key, {"ssh.host_key_changed"}, "sed -i.bak 1d"),
    "the host key is unknown": (no_key, {"ssh.host_key_unknown"}, "StrictHostKeyChecking=ask"),
}


@pytest.mark.parametrize("case", WAYS)
def test_a_host_that_cannot_be_reached(shop: FaultSite, case: str) -> None:
    before, two = shop.serving(), shop.hosts[1]
    way, codes, word = WAYS[case]
    with shop.visited():
        shop.route({two.name: way(shop)})
        ran = shop.redeploy()
        shop.route({})
    error = assert_told(ran, 5, ran.error.get("code", ""))
    assert error["code"] in codes, ran.text
    assert two.name in error["what"] + error["where"]
    assert word in error["next"], error
    shop.assert_serves(before)


def test_a_user_whom_the_host_does_not_know(shop: FaultSite) -> None:
    before = shop.serving()
    shop.configure(lambda config: config["ssh"].update(user=NOBODY))
    error = assert_told(shop.redeploy(), 5, "ssh.permission_denied")
    assert NOBODY in error["said"] + error["next"]
    shop.configure(lambda config: config["ssh"].update(user="root"))
    shop.assert_serves(before)


@pytest.fixture(scope="module")
def plain(_shop: FaultSite) -> Iterator[str]:
    """A user of both hosts who may do nothing: no sudo, no group of Docker's."""
    for host in _shop.hosts:
        answer = host.run("sh", "-c", _PLAIN, "sh", PLAIN)
        assert answer.status == 0, answer.err
    yield PLAIN
    for host in _shop.hosts:
        host.run("userdel", "--remove", "--force", PLAIN)


def test_a_user_without_rights(shop: FaultSite, plain: str) -> None:
    before = shop.serving()
    shop.configure(lambda config: config["ssh"].update(user=plain))
    assert_told(shop.redeploy(), 4, "docker.no_permission")
    ran = shop("setup", "--json")
    error = assert_told(ran, ran.code, "setup.no_sudo")
    assert ran.code in (4, 5), ran.text
    assert f"{plain} may not use sudo" in str(error), error
    shop.configure(lambda config: config["ssh"].update(user="root"))
    shop.assert_serves(before)


@contextlib.contextmanager
def without_docker(host: LabHost) -> Iterator[None]:
    """No client is installed; the engine goes on, and what it runs."""
    place = host.run("sh", "-c", "command -v docker").out.strip()
    assert host.run("mv", place, f"{place}.away").status == 0
    try:
        yield
    finally:
        host.run("mv", f"{place}.away", place)


@contextlib.contextmanager
def stopped_docker(host: LabHost) -> Iterator[None]:
    """The engine is stopped and what it runs; it comes back with it."""
    assert host.run("systemctl", "stop", "docker.socket", "docker.service").status == 0
    try:
        yield
    finally:
        assert host.run("systemctl", "start", "docker.socket", "docker.service").status == 0


def test_a_server_without_docker(shop: FaultSite) -> None:
    before, two = shop.serving(), shop.hosts[1]
    with shop.visited(), without_docker(two):
        ran = shop.redeploy()
    error = assert_told(ran, 4, "docker.missing")
    assert two.name in error["where"]
    assert "shipway setup" in error["next"]
    shop.assert_serves(before)


def test_an_engine_that_is_stopped(shop: FaultSite) -> None:
    """Its host does not serve then, which is nobody's fault here; with the engine everything comes back."""
    before, two = shop.serving(), shop.hosts[1]
    with stopped_docker(two):
        ran = shop.redeploy()
        assert shop.answered_by(shop.hosts[0]) == before
    error = assert_told(ran, 4, "docker.stopped")
    assert two.name in error["where"]
    wait_until(lambda: serves_again(shop), 30)
    shop.assert_serves(before)


def serves_again(shop: FaultSite) -> bool:
    try:
        return bool(shop.answered_by(shop.hosts[1]))
    except (AssertionError, OSError):
        return False


def test_after_all_that_a_deploy_needs_no_repair(shop: FaultSite) -> None:
    with shop.visited():
        ran = shop.redeploy()
    assert ran.code == 0, ran.text
    shop.assert_serves(ran.report["release"])
    for host in shop.hosts:
        assert host.run("test", "-d", f"{HOME}/releases/{ran.report['release']}").status == 0
