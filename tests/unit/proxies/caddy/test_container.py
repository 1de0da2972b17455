from __future__ import annotations

from dataclasses import replace

import pytest

from shipway.core.action import Command
from shipway.core.errors import Bug
from shipway.core.layout import Layout
from shipway.core.step import Plan, Stage, violations
from shipway.proxies.caddy import Caddy, CaddyContainer, CaddyRun, Keep, keep_in_container
from shipway.proxies.site import ProxyRoute, ProxySite

LAYOUT = Layout("/srv", "shop")
SITE = ProxySite("shop", (ProxyRoute("web", ("shop.example",)),))


def keep(run: CaddyRun | None = None, **how: object) -> Keep:
    settings = {"user": "1000:1001", **how}
    return keep_in_container(LAYOUT, "web-1", run or CaddyRun(), CaddyContainer(**settings))  # type: ignore[arg-type]


def words(found: Keep) -> list[str]:
    """The words of `docker create`, after those of the script."""
    create = found.start[0]
    assert isinstance(create, Command)
    return list(create.argv[4:])


def test_the_container_sees_its_own_files_and_nothing_else() -> None:
    assert words(keep(options=("--cpus", "1.5"))) == [
        *("shipway-proxy", "kamal", "--restart", "unless-stopped", "--stop-timeout", "40"),
        *("--user", "1000:1001", "--workdir", "/srv/proxy"),
        *("--env", "HOME=/srv/proxy/tls", "--env", "XDG_CONFIG_HOME=/srv/proxy/tls"),
        *("--env", "XDG_DATA_HOME=/srv/proxy/tls"),
        *("--volume", "/srv/proxy:/srv/proxy", "--volume", "/srv/public:/srv/public:ro"),
        *("--publish", "80:80", "--publish", "443:443", "--publish", "443:443/udp"),
        *("--log-opt", "max-size=10m", "--cpus", "1.5"),
        *("--label", f"shipway.definition={keep(options=('--cpus', '1.5')).definition}"),
        *("caddy:2", "caddy", "run", "--config", "/srv/proxy/caddy.json"),
    ]


def published(run: CaddyRun) -> list[str]:
    found = words(keep(run))
    return [found[i + 1] for i, word in enumerate(found) if word == "--publish"]


def test_ports_are_opened_where_it_was_asked() -> None:
    assert published(CaddyRun(publish=False)) == []
    assert published(CaddyRun(http_port=8080, https_port=8443, bind_ips=("10.0.0.1", "fd00::1"))) == [
        *("10.0.0.1:8080:8080", "10.0.0.1:8443:8443", "10.0.0.1:8443:8443/udp"),
        *("[fd00::1]:8080:8080", "[fd00::1]:8443:8443", "[fd00::1]:8443:8443/udp"),
    ]
    assert "--expose" in words(keep(CaddyRun(metrics_port=9090)))


def test_it_is_made_anew_when_it_would_run_in_another_way() -> None:
    ways = [
        keep(),
        keep(image="registry.example/caddy:2"),
        keep(user="0:0"),
        keep(log_max_size="1m"),
        keep(CaddyRun(http_port=8080)),
        keep(options=("--memory", "64m")),
    ]
    assert len({way.definition for way in ways}) == len(ways)
    assert keep().definition == keep().definition


def proxy(found: Keep) -> Caddy:
    return Caddy(LAYOUT, "web-1", SITE, replace(CaddyRun(bind_ips=("10.0.0.1",)), keep=found))


def test_caddy_listens_on_all_addresses_inside() -> None:
    assert '":80"' in proxy(keep()).site_text
    assert '"10.0.0.1:80"' in proxy(Keep()).site_text


def test_a_take_over_keeps_the_laws_and_prepares_all_it_can() -> None:
    ours = proxy(keep())
    swap = ours.take_over_steps("kamal-proxy", {"web": "shop-web-abc:80"})
    plan = Plan("run", "deploy", "shop", "r1", "v", "", "web-1", (Stage("all", ((*ours.prepare_steps(), *swap),)),))
    assert violations(plan) == ()
    assert [step.id for step in swap] == ["web-1/aim-web", "web-1/take-over"]
    assert not {"web-1/proxy-start", "web-1/proxy-reload"} & {step.id for step in ours.prepare_steps()}
    assert [action.argv[-2:] for action in swap[1].undo if isinstance(action, Command)] == [
        ("shipway-proxy", "kamal-proxy")
    ]
    with pytest.raises(Bug):
        proxy(Keep()).take_over_steps("kamal-proxy", {})
