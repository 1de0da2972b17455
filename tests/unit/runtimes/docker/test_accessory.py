"""What is read of accessories, how it differs from the configuration, and the scripts around `docker run`."""

import json
from dataclasses import replace

import pytest

from shipway.core.ports import Result
from shipway.runtimes.docker.accessory import AccessorySpec, config_digest
from shipway.runtimes.docker.accessory_parse import drift, parse
from shipway.runtimes.docker.accessory_ready import kind_of, port_of
from shipway.runtimes.docker.accessory_remove import remove_steps

SPEC = AccessorySpec(
    name="db",
    host="h",
    container="shop-db",
    image="postgres:16",
    data="/root/shop-db",
    env_file="/var/lib/shipway/shop/accessories/db.env",
    launcher="/var/lib/shipway/shop/accessories/launch.py",
    binds=("/root/shop-db/data:/var/lib/postgresql/data",),
    publish="127.0.0.1:5432:5432",
)


def answer(**over: object) -> Result:
    body = {
        "name": "/shop-db",
        "status": "running",
        "exit": 0,
        "started": "2026-01-01T10:00:00.1Z",
        "health": "",
        "restarts": 0,
        "image": "postgres:16",
        "labels": {"service": "shop-db"},
        "ports": {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5432"}]},
        "binds": ["/root/shop-db/data:/var/lib/postgresql/data"],
        "restart": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        "networks": {"kamal": {}},
        "mounts": [{"Type": "bind"}, {"Type": "volume", "Name": "0" * 64, "Destination": "/tmp/cache"}],
    }
    return Result(0, (json.dumps({**body, **over}) + "\n").encode())


def test_a_container_of_kamals_that_agrees_has_no_drift() -> None:
    (facts,) = parse([SPEC], answer())
    assert facts.is_running
    assert facts.ports == ("127.0.0.1:5432:5432/tcp",)
    assert facts.unkept == ("/tmp/cache",)
    assert drift(SPEC, facts) is None


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"image": "postgres:15"}, "it runs the image postgres:15, not postgres:16"),
        ({"networks": {"bridge": {}}}, "not in the network kamal"),
        ({"restart": {"Name": "no"}}, "its restart policy is no"),
        ({"ports": {}}, "publishes no port"),
        ({"binds": None}, "does not mount /root/shop-db/data"),
        ({"labels": {"shipway.config": "another"}}, "its environment, files, labels or options"),
    ],
)
def test_what_differs_is_told(over: dict[str, object], said: str) -> None:
    (facts,) = parse([SPEC], answer(**over))
    finding = drift(SPEC, facts)
    assert finding is not None
    assert said in finding.what


def test_what_shipway_started_is_known_by_its_digest() -> None:
    labels = {"shipway.config": config_digest(SPEC)}
    (facts,) = parse([SPEC], answer(labels=labels))
    assert drift(SPEC, facts) is None
    assert drift(replace(SPEC, env=(("A", ("b",)),)), facts) is not None


@pytest.mark.parametrize(
    "text", [b"", b"garbage\n{", b'{"name": 1}\n[]\n', b'{"name": "/other", "status": "running"}\n']
)
def test_malformed_answers_are_nothing_there(text: bytes) -> None:
    (facts,) = parse([SPEC], Result(0, text))
    assert not facts.is_there


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("postgres:16", "postgres"),
        ("registry.example.org:5000/team/postgis@sha256:00", "postgres"),
        ("redis:7-alpine", "redis"),
        ("valkey/valkey", "redis"),
        ("mariadb:11", "mysql"),
        ("prometheuscommunity/postgres-exporter", ""),
        ("rediscommander/redis-commander", ""),
        ("busybox", ""),
    ],
)
def test_the_kind_of_a_server_is_in_its_images_name(image: str, kind: str) -> None:
    assert kind_of(image) == kind


def test_a_port_in_the_command_is_asked() -> None:
    assert port_of("redis-server --port 6380 --save ''") == "6380"
    assert port_of("postgres -c shared_buffers=1GB -p5433") == "5433"
    assert port_of("postgres") == ""


@pytest.mark.parametrize("container", ["..", "a/b", "", "-x"])
def test_nothing_but_a_directory_of_its_own_is_deleted(container: str) -> None:
    with pytest.raises(ValueError, match="cannot name a directory"):
        remove_steps(replace(SPEC, container=container, data=f"/root/{container}"))
