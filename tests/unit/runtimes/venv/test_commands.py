from __future__ import annotations

import shlex

import pytest

from shipway.core.unit import Kind, Unit
from shipway.runtimes.venv.commands import command_line, default_server, notifies
from shipway.runtimes.venv.settings import VenvSettings

WSGI, ASGI = VenvSettings(wsgi="shop.wsgi"), VenvSettings(wsgi="shop.wsgi", asgi="shop.asgi", max_requests=0)


def unit(cmd: str = "", kind: Kind = "web", stop_s: float = 30) -> Unit:
    return Unit(service="shop", role="r", host="h", release="r1", version="v", cmd=cmd, kind=kind, stop_s=stop_s)


def test_a_web_unit_runs_gunicorn_on_its_socket() -> None:
    words = shlex.split(command_line(unit(), WSGI, "/run/a b.sock"))
    assert words[:4] == ["gunicorn", "shop.wsgi", "--bind", "unix:/run/a b.sock"]
    assert words[words.index("--graceful-timeout") + 1] == "28"
    assert "--access-logfile" not in words
    assert default_server(unit(), WSGI) == "gunicorn"


def test_asgi_wins() -> None:
    words = shlex.split(command_line(unit(stop_s=1), ASGI, "/run/a b.sock"))
    assert words[:4] == ["uvicorn", "shop.asgi:application", "--uds", "/run/a b.sock"]
    assert words[words.index("--timeout-graceful-shutdown") + 1] == "1"
    assert "--limit-max-requests" not in words
    assert default_server(unit(), ASGI) == "uvicorn"


@pytest.mark.parametrize(
    "cmd",
    [
        "celery -A shop worker -c 4",
        "daphne -u $SHIPWAY_SOCKET shop.asgi:application",
        'sh -c "sleep 1; exec celery -A shop worker"',
        "python -c 'print(1); print(2)' # not a comment",
    ],
)
def test_a_users_simple_command_is_kept_as_it_is(cmd: str) -> None:
    assert command_line(unit(f" {cmd} "), WSGI, "/s") == cmd
    assert default_server(unit(cmd), WSGI) == ""


@pytest.mark.parametrize(
    "cmd",
    ["a && b", "a; b", "a | b", "a > f", "a &", "(a)", "a\nb", "a 'b", "A=1 b", "a $(b)", "a; rm -rf /"],
)
def test_more_than_one_simple_command_is_refused(cmd: str) -> None:
    with pytest.raises(ValueError, match="`r`"):
        command_line(unit(cmd), WSGI, "/s")


@pytest.mark.parametrize(("kind", "settings"), [("worker", WSGI), ("scheduler", WSGI), ("web", VenvSettings())])
def test_a_role_without_command_and_default_is_refused(kind: Kind, settings: VenvSettings) -> None:
    with pytest.raises(ValueError, match="`r` has no `cmd`"):
        command_line(unit("  ", kind), settings, "/s")


@pytest.mark.parametrize(
    ("cmd", "tells"),
    [
        ("gunicorn", True), ("gunicorn shop.wsgi", True), ("python -m gunicorn shop.wsgi", True), ("", True),
        ("/opt/bin/gunicorn -w 2", True), ("python3.12 -m gunicorn x", True), ("uvicorn shop.asgi:app", False),
        ("sh -c 'exec gunicorn'", False), ("gunicorn-like", False), ("celery -A shop worker", False),
    ],
)  # fmt: skip
def test_only_gunicorn_tells_when_it_has_started(cmd: str, *, tells: bool) -> None:
    assert notifies(unit(cmd), WSGI) is tells
