"""Addresses in variables, the question whether they are reached, and what follows from its answer."""

import socket
import subprocess

import pytest

from shipway.checks.outside.services import (
    Service,
    check_local,
    check_services,
    connect,
    named_service,
    parse_connect,
    service_of,
    services_of,
)
from shipway.core.ports import Result

URLS = {
    "postgres://shop:p%40ss@db.example.org/shop": ("db.example.org", 5432),
    "postgresql+psycopg://db:6543/shop": ("db", 6543),
    "rediss://:word@[2001:db8::1]:6380/0": ("2001:db8::1", 6380),
    "amqp://a:b@broker//": ("broker", 5672),
    "mysql://shop-db/x": ("shop-db", 3306),
    "smtp+tls://me:pw@mail.example.org": ("mail.example.org", 587),
    "https://example.org": None,
    "postgres:///shop": None,
    "postgres://db:99999/x": None,
    "postgres://db:x/x": None,
    "redis://-oProxyCommand=x/0": None,
    "redis://a b/0": None,
    "sqlite:////data/x": None,
    "redis://[::1": None,
    "": None,
}


@pytest.mark.parametrize("url", URLS)
def test_a_service_is_read_from_its_url(url: str) -> None:
    found = service_of("X", url)
    assert (found and (found.host, found.port)) == URLS[url]


def test_each_address_is_asked_for_once_and_no_password_is_kept() -> None:
    url = "redis://:secret-word@cache:6379"
    (service,) = services_of({"A": f"{url}/0", "B": f"{url}/1"})
    assert str(service) == "A (cache:6379)"
    assert "secret-word" not in repr(service) + repr(connect([service], by_docker=True))


def test_a_hidden_address_is_not_told() -> None:
    service = named_service("EMAIL_HOST", "mail.internal", 25, is_mail=True, is_shown=False)
    assert service is not None
    (finding,) = check_services("a", [service], {0: "timeout"})
    assert (finding.code, finding.level) == ("outside.smtp", "warning")
    assert "mail.internal" not in repr(finding)


def test_the_script_asks_here() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        port, closed = server.getsockname()[1], other.getsockname()[1]
        other.close()
        services = [Service("A", "127.0.0.1", port), Service("B", "127.0.0.1", closed), Service("C", "no.invalid", 1)]
        command = connect(services, by_docker=False)
        text = "".join(str(part) for part in command.stdin)
        done = subprocess.run(command.argv, input=text.encode(), capture_output=True, timeout=60, check=False)
    answers = parse_connect(Result(done.returncode, done.stdout), 3)
    assert answers[0] == "ok"
    assert answers[1] == "refused"
    assert answers[2] in ("no-name", "timeout")


@pytest.mark.parametrize("text", [b"", b"x\n" * 9999, b"0 fine\n7 ok\n-1 ok\n\xff\n", b"0 ok extra\n"])
def test_hostile_answers_say_nothing(text: bytes) -> None:
    answers = parse_connect(Result(0, text), 2)
    assert answers == {}
    (finding,) = check_services("a", [Service("A", "h", 1)], answers)
    assert finding.code == "outside.service_unknown"


def test_findings() -> None:
    services = [Service("A", "db", 5432), Service("B", "cache", 6379)]
    assert list(check_services("a", services, {0: "ok", 1: "ok"})) == []
    (finding,) = check_services("a", services, {0: "ok", 1: "no-name"})
    assert (finding.code, finding.level, finding.where) == ("outside.service_unreachable", "error", "a, B")
    assert [one.code for one in check_local([Service("A", "localhost", 1), services[0]])] == [
        "project.localhost_service"
    ]
