"""A release that does not work, or does not arrive: all hosts go back, visitors lose nothing, the report says why."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab.fault_site import SERVICE, FaultSite
from tests.lab.fixtures import LabHost
from tests.live.test_bad_input import assert_told

Change = Callable[[dict[str, Any]], object]
SILENT = "python -c 'import socket, time; s = socket.create_server((\"0.0.0.0\", 8000)); time.sleep(900)'"


def role(name: str, cmd: str) -> Change:
    return lambda config: config["servers"][name].update(cmd=cmd)


def health(path: str) -> Change:
    return lambda config: config["proxy"]["healthcheck"].update(path=path)


# What a release has that does not work, the step that fails, and words that name the cause.
RELEASES: dict[str, tuple[Change, str, tuple[str, ...]]] = {
    "exits at once": (role("web", "python app.py end 3"), "start-web", ("exit code 3", "does not stay up")),
    "a worker on one host exits": (role("worker", "python app.py end 4"), "start-worker", ("exit code 4",)),
    "never answers": (role("web", SILENT), "start-web", ("did not answer in time",)),
    "answers 400": (
        lambda config: config["env"]["clear"].update(ALLOWED_HOST="other.example"),
        "start-web", ("400", "ALLOWED_HOSTS"),
    ),
    "answers 301": (health("/moved"), "start-web", ("301", "SECURE_SSL_REDIRECT", "no HTTPS")),
    "no health path": (health("/missing"), "start-web", ("404", "there is no `/missing`")),
    "answers 500": (health("/broken"), "start-web", ("500", "exception")),
}  # fmt: skip


@pytest.mark.parametrize("case", RELEASES)
def test_a_release_that_does_not_work(shop: FaultSite, case: str) -> None:
    before = shop.serving()
    change, step, words = RELEASES[case]
    shop.configure(lambda config: (change(config), config.update(deploy_timeout=3)))
    # A new health path is a new configuration of the proxy: its reload ends idle connections.
    with contextlib.nullcontext() if change.__qualname__.startswith("health") else shop.visited():
        ran = shop.redeploy()
    taken_back(shop, ran, before)
    error = assert_told(ran, 10, "step.failed", now=True)
    assert step in error["where"]
    assert [word for word in words if word not in error["said"]] == [], error["said"]


def test_the_proxy_is_taken_back_too(shop: FaultSite) -> None:
    """The release that goes on serving is reached by the name that it had."""
    before = shop.serving()
    shop.configure(lambda config: (config["proxy"].update(host="other.example"), config.update(deploy_timeout=3)))
    shop.configure(role("web", "python app.py end 3"))
    ran = shop.redeploy()
    assert ran.code == 10, ran.text
    taken_back(shop, ran, before)


def taken_back(shop: FaultSite, ran: Any, before: str) -> None:
    """The release before serves everywhere, the report says so, and nothing is left of the one that failed."""
    assert ran.code == 10, ran.text
    assert f"{before} serves" in ran.error["now"], ran.error
    shop.assert_serves(before)
    begun = next(event["step"].rpartition("-")[2] for event in ran.events if "/describe-" in event.get("step", ""))
    shop.failed_is_gone(begun)


@contextlib.contextmanager
def small_disk(host: LabHost) -> Iterator[None]:
    """Where the engine puts what it downloads there are 128 kilobytes, on a disk of its own."""
    place = "/var/lib/docker/tmp"
    assert host.run("mount", "-t", "tmpfs", "-o", "size=128k", "shipway-test", place).status == 0
    try:
        yield
    finally:
        assert host.run("umount", "--lazy", place).status == 0


@contextlib.contextmanager
def no_way_to_the_registry(host: LabHost, registry: str) -> Iterator[None]:
    address = registry.rpartition(":")[0]
    assert host.run("ip", "route", "add", "unreachable", f"{address}/32").status == 0
    try:
        yield
    finally:
        assert host.run("ip", "route", "del", "unreachable", f"{address}/32").status == 0


@pytest.mark.parametrize("case", ["image.disk_full", "registry.unreachable"])
def test_an_image_that_does_not_arrive_on_one_host(shop: FaultSite, case: str) -> None:
    """It is built and pushed, and the other host has it already."""
    before, two = shop.serving(), shop.hosts[1]
    (shop.directory / "chart.py").write_bytes(b"# " + os.urandom(600_000).hex().encode())
    shop.commit()
    fault = small_disk(two) if case == "image.disk_full" else no_way_to_the_registry(two, shop.lab.registry.server)
    with shop.visited(), fault:
        ran = shop.deploy()
    taken_back(shop, ran, before)
    error = assert_told(ran, 10, "step.failed", now=True)
    assert f"{two.name}/fetch-" in error["where"]
    assert f"error[{case}]" in error["said"], error


def test_an_image_of_another_architecture(shop: FaultSite) -> None:
    """It stands in the registry; both hosts refuse it, and no container of it was ever made."""
    before = shop.serving()
    image = f"{shop.lab.registry.server}/test/{SERVICE}:elsewhere"
    shop.write("elsewhere/Dockerfile", f"FROM scratch\nLABEL service={SERVICE}\nCOPY Dockerfile /\n")
    made = shop.lab.docker("build", "--platform", "linux/arm64", "-t", image, shop.directory / "elsewhere")
    assert made.status == 0, made.err
    assert shop.lab.docker("push", "--quiet", image).status == 0
    with shop.visited():
        ran = shop("deploy", "--version", "elsewhere", "--json")
    error = assert_told(ran, ran.code, ran.error["code"], now=True)
    assert "arm64" in str(error), error
    assert "amd64" in str(error)
    assert not [event for event in ran.events if "/start-" in event.get("step", "")]
    taken_back(shop, ran, before)


def test_after_all_that_a_deploy_needs_no_repair(shop: FaultSite) -> None:
    before = shop.serving()
    shop.write("note.py", "# another\n")
    shop.commit()
    with shop.visited():
        ran = shop.deploy()
    assert ran.code == 0, ran.text
    assert ran.report["base"] == before
    shop.assert_serves(ran.report["release"])
