"""What a service asks of Caddy, from its configuration file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipway.app.call import Choice
from shipway.app.hosts import HostBasics
from shipway.app.proxy_site import accessory_caddy, accessory_endpoint, proxy_of
from shipway.app.service import Service, load_service
from shipway.app.venv_settings import venv_settings_of
from shipway.core.action import Command, Upload
from shipway.core.layout import Layout
from shipway.core.secret import SecretRef
from shipway.core.step import Plan, Stage, violations
from shipway.proxies.caddy import Caddy
from shipway.proxies.nginx import Nginx

CONFIG = """\
service: shop
image: team/shop
registry: {server: registry.example, username: u, password: [REGISTRY_PASSWORD]}
builder: {arch: amd64}
servers:
  web: {hosts: [a]}
  api:
    hosts: [a]
    proxy: {host: api.example.org, ssl: false, response_timeout: 5, path_prefix: /v1, buffering: {requests: false}}
  worker: {hosts: [a]}
proxy:
  host: shop.example.org
  ssl: {certificate_pem: CERT, private_key_pem: KEY}
  buffering: {requests: true, memory: 1000}
  run: {http_port: 8080, https_port: 8443, registry: mirror.example, metrics_port: 9090, options: {cpus: 1.5}}
accessories:
  mail:
    image: mail:1
    host: a
    proxy: {host: mail.example.org, app_port: 8025, run: {http_port: 8080, https_port: 8443, registry: mirror.example,
      metrics_port: 9090, options: {cpus: 1.5}}}
  db: {image: "postgres:16", host: a}
"""
BASICS = HostBasics("/srv", uid=1000, gid=1001)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "deploy.yml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return load_service(Choice())


def caddy(service: Service) -> Caddy:
    found = proxy_of(service, "a", Layout("/srv", "shop"), BASICS)
    assert isinstance(found, Caddy)
    return found


def handler(site: Any, role: str) -> Any:
    routes = site["named"][f"shop/{role}"]["handle"][0]["routes"]
    return next(h for route in routes for h in route["handle"] if h["handler"] == "reverse_proxy")


def test_each_role_has_its_own_settings(service: Service) -> None:
    site = json.loads(caddy(service).site_text)
    assert {(e["server"], *e["hosts"], e["prefix"]) for e in site["entries"]} == {
        ("http", "shop.example.org", ""),
        ("https", "shop.example.org", ""),
        ("http", "api.example.org", "/v1"),
    }
    web, api = handler(site, "web"), handler(site, "api")
    assert (web["request_buffers"], "request_buffers" in api) == (1000, False)
    assert api["transport"]["response_header_timeout"] == 5_000_000_000
    assert site["skip_certificates"] == ["shop.example.org"]
    assert site["base"]["apps"]["http"]["servers"]["metrics"]["listen"] == [":9090"]


def test_a_certificate_travels_as_references_to_secrets(service: Service) -> None:
    steps = caddy(service).host_steps()
    plan = Plan("run", "deploy", "shop", "r1", "v", "", "a", (Stage("all", (steps,)),))
    assert violations(plan) == ()
    assert plan.secrets() == ("CERT", "KEY")
    (step,) = caddy(service).upkeep_steps()
    uploads = {action.path: action for action in step.do if isinstance(action, Upload)}
    where = "/srv/proxy/tls/own/shop/web"
    assert uploads[f"{where}/new.key.pem"].mode == 0o600
    assert uploads[f"{where}/new.key.pem"].body[0] == SecretRef("KEY")
    assert step.done is not None
    assert SecretRef("KEY") in step.done.stdin


def test_the_container_is_run_as_the_configuration_says(service: Service) -> None:
    (start,) = [step for step in caddy(service).host_steps() if step.id == "a/proxy-start"]
    words = next(a.argv for a in start.do if isinstance(a, Command) and "--publish" in a.argv)
    assert {"mirror.example/caddy:2", "1000:1001", "8080:8080", "--cpus", "1.5"} <= {*words}


def test_a_proxied_accessory_is_a_site_of_its_own_in_the_same_container(service: Service) -> None:
    mail, db = service.config.accessories
    found = accessory_caddy(service, mail, "a", BASICS)
    assert found is not None
    assert accessory_caddy(service, db, "a", BASICS) is None
    site = json.loads(found.site_text)
    assert site["service"] == "shop-mail.accessory"
    ours = json.loads(caddy(service).site_text)
    assert (site["base"], site["definition"]) == (ours["base"], ours["definition"])
    (switch,) = found.switch_steps("mail", accessory_endpoint(mail), "")
    assert switch.title == "send traffic of mail to shop-mail:8025"


NGINX = """\
service: shop
runtime: venv
servers:
  web: {hosts: [a]}
  api: {hosts: [a], proxy: {host: api.example.org, ssl: {certificate_file: /c.pem, private_key_file: /k.pem}}}
proxy: {host: shop.example.org, ssl: true, run: {program: nginx}}
"""


def test_nginx_takes_the_certificates_of_certbot_or_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "deploy.yml").write_text(NGINX)
    monkeypatch.chdir(tmp_path)
    service = load_service(Choice())
    found = proxy_of(service, "a", Layout("/srv", "shop"), BASICS)
    assert isinstance(found, Nginx)
    assert {(*one["hosts"], one["certificate"]) for one in json.loads(found.site_text)["tls"]} == {
        ("shop.example.org", "/etc/letsencrypt/live/shop.example.org/fullchain.pem"),
        ("api.example.org", "/c.pem"),
    }
    assert not venv_settings_of(service).needs_caddy
