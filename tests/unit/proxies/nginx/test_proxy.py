"""nginx's steps and its reader, without any nginx."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shipway.core.action import Command
from shipway.core.errors import Bug, ConfigError
from shipway.core.layout import Layout
from shipway.core.ports import Result
from shipway.core.step import Plan, Stage, violations
from shipway.proxies.base import ProxyFacts
from shipway.proxies.nginx import Nginx, NginxRun
from shipway.proxies.site import AccessLog, Folder, ProxyRoute, ProxySite, Tls

LAYOUT = Layout("/var/lib/shipway", "shop")
WEB = ProxyRoute("web", ("shop.example",), health_path="/up", access_log=AccessLog(("User-Agent",)))
SITE = ProxySite(
    "shop", (WEB, ProxyRoute("api", ("shop.example",), ("/api",))), static=Folder("/static/", LAYOUT.static)
)
SOCKET = "unix//var/lib/shipway/shop/run/web-r2.sock"


def nginx(site: ProxySite = SITE, layout: Layout = LAYOUT, **run: Any) -> Nginx:
    return Nginx(layout, "web-1", site, NginxRun(**run))


def locations(site: ProxySite, server: str) -> dict[str, str]:
    entries = json.loads(nginx(site).site_text)["entries"]
    return {one["head"]: one["text"] for entry in entries if entry["server"] == server for one in entry["locations"]}


def test_every_step_keeps_the_laws() -> None:
    proxy = nginx(replace(SITE, routes=(replace(WEB, tls=Tls("files", "/c", "/k", (("pem",), ("key",)))),)))
    parts = (
        proxy.host_steps(),
        proxy.switch_steps("web", SOCKET, ""),
        proxy.drain_steps("web", SOCKET, 30),
        proxy.maintenance_steps(on=True, message="soon"),
        proxy.remove_steps(),
        proxy.stop_steps(),
    )
    for steps in parts:
        plan = Plan("run", "deploy", "shop", "r1", "v", "", "web-1", (Stage("all", (steps,), commits=True),))
        assert violations(plan) == ()


def test_root_is_asked_for_only_where_it_is_needed() -> None:
    for has_sudo in (True, False):
        proxy = nginx(sudo=has_sudo)
        steps = (*proxy.host_steps(), *proxy.switch_steps("web", SOCKET, ""), *proxy.remove_steps())
        found = {step.id.removeprefix("web-1/") for step in steps for a in step.do if isinstance(a, Command) and a.sudo}
        assert found == ({"proxy-include", "proxy-start", "proxy-remove"} if has_sudo else set())


def test_a_switch_is_the_rename_of_a_link_and_its_undo_leads_back_or_to_nothing() -> None:
    (step,) = nginx().switch_steps("web", SOCKET, "")
    live = LAYOUT.live("web")
    assert step.do[0].argv[-2:] == (live, SOCKET.removeprefix("unix/"))  # type: ignore[union-attr]
    assert step.undo[0].argv[-2:] == (live, ".")  # type: ignore[union-attr]
    for wrong in ("127.0.0.1:8000", "unix/relative", "unix//a b"):
        with pytest.raises(Bug):
            nginx().switch_steps("web", wrong, "")


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b"\xff", b'{"live": [], "up": 1, "hash": 7}', b'{"live": {"web": "/x"}}']
)
def test_a_malformed_answer_is_nothing(answer: bytes) -> None:
    assert nginx().parse({"nginx": Result(0, answer)}) == ProxyFacts()
    assert nginx().parse({}) == ProxyFacts()


def test_an_answer_is_read() -> None:
    body = {"live": {"web": SOCKET, "gone": SOCKET}, "up": True, "maintenance": True, "hash": "0" * 12, "settled": True}
    found = nginx().parse({"nginx": Result(0, json.dumps(body).encode())})
    assert found == ProxyFacts({"web": SOCKET}, True, True, "0" * 12, True)


def test_plain_requests_go_to_https_and_the_authority_is_answered() -> None:
    found = locations(replace(SITE, routes=(replace(WEB, tls=Tls("files", "/c", "/k")),)), "http")
    assert "return 301 https://$host$request_uri;" in found["/"]
    assert "return 301" in found["^~ /static/"]
    assert "return 301" not in found["^~ /.well-known/acme-challenge/"]
    assert "proxy_pass" in locations(replace(SITE, routes=(replace(WEB, tls=Tls("files", "/c", "/k")),)), "https")["/"]


def test_health_is_answered_in_maintenance_and_a_prefix_has_both_its_forms() -> None:
    found = locations(SITE, "http")
    assert [head for head, text in found.items() if "return 590;" in text] == ["/", "= /api", "^~ /api/"]
    assert "return 590;" not in found["= /up"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tls": Tls("internal")}, "nginx.no_authority"),
        ({"tls": Tls("auto")}, "nginx.no_acme"),
        ({"access_log": AccessLog(("X-A'; return 200",))}, "proxy.unsafe_value"),
        ({"access_log": AccessLog(("X_!",))}, "nginx.header"),
        ({"hosts": ("a.example; }",)}, "proxy.unsafe_value"),
        ({"path_prefixes": ("/a$b",)}, "proxy.unsafe_value"),
        ({"health_path": "/up { }"}, "proxy.unsafe_value"),
        ({"hosts": (), "tls": Tls("files", "/c", "/k")}, "proxy.host_missing"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        nginx(ProxySite("shop", (replace(WEB, **change),)))
    assert caught.value.code == code


def test_a_path_longer_than_a_sockets_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        nginx(layout=Layout("/srv/" + "x" * 90, "shop"))
    assert caught.value.code == "nginx.long_path"
