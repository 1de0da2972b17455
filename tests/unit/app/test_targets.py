"""From a configuration file to the site that planning sees."""

import subprocess
from pathlib import Path

import pytest

from shipway.app.call import Choice
from shipway.app.hosts import HostBasics
from shipway.app.service import load_service
from shipway.app.targets import check_releasable, site_of
from shipway.core.errors import ConfigError
from shipway.core.secret import SecretRef
from shipway.core.step import violations
from shipway.planning.deploy import plan_deploy
from shipway.planning.schedule import scheduling
from shipway.planning.site import Site
from shipway.runtimes.base import Release
from tests.sites import facts_serving

CONFIG = """\
service: shop
runtime: venv
servers:
  beat: {hosts: [b], cmd: celery -A shop beat}
  web:
    hosts: [a, b]
    env: {clear: {MODE: web}}
  worker: {hosts: [a], cmd: python manage.py worker, stop_timeout: 90}
proxy:
  host: shop.example.org
  healthcheck: {path: /health, interval: 2}
  run: {http_port: 8080}
boot: {limit: 50%}
retain_containers: 3
release: {migrations: manual}
django: {static: {root: staticfiles}, media: {root: media}}
shared: [var, db.sqlite3]
env: {clear: {DEBUG: false}, secret: [SECRET_KEY, "TOKEN:API_TOKEN"]}
"""


def site_from(directory: Path, config: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    (directory / "config").mkdir()
    (directory / "config" / "deploy.yml").write_text(config)
    (directory / "manage.py").write_text("setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')")
    (directory / "shop").mkdir()
    (directory / "shop" / "wsgi.py").touch()
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=directory, check=True, capture_output=True)
    monkeypatch.chdir(directory)
    service = load_service(Choice())
    return site_of(service, {host: HostBasics("/srv", "/usr/bin/caddy") for host in service.config.app_hosts})


def test_the_site_of_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_from(tmp_path, CONFIG, monkeypatch)
    assert (site.primary, site.boot_width, site.retain, site.migrations) == ("a", 1, 3, "manual")
    assert [(role.name, role.kind, role.proxied) for role in site.roles] == [
        ("web", "web", True),
        ("beat", "scheduler", False),
        ("worker", "worker", False),
    ]
    web = site.unit("web", "a", "r1")
    assert dict(web.env) == {
        "DEBUG": ("false",),
        "MODE": ("web",),
        "SECRET_KEY": (SecretRef("SECRET_KEY"),),
        "TOKEN": (SecretRef("API_TOKEN"),),
    }
    assert web.health is not None
    assert (web.health.path, web.health.host, web.health.interval_s, web.health.https) == (
        "/health",
        "shop.example.org",
        2.0,
        False,
    )
    assert site.unit("worker", "a", "r1").stop_s == 90
    plan = plan_deploy(site, facts_serving(site), "run", Release("r1", "c0ffee", str(tmp_path)))
    assert violations(plan) == ()
    assert plan.secrets() == ("API_TOKEN", "SECRET_KEY")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("cmd: python manage.py worker", "cmd: a && b"), "runtime.impossible"),
        (("SECRET_KEY,", '"SHIPWAY_X:Y",'), ""),
        (("{DEBUG: false}", "{DEBUG: false, a b: c}"), "runtime.impossible"),
    ],
)  # fmt: skip
def test_what_can_never_run_is_a_mistake_of_the_configuration(
    change: tuple[str, str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_releasable(site_from(tmp_path, CONFIG.replace(*change), monkeypatch))
    assert caught.value.exit_code == 3
    assert code in ("", caught.value.code)


JOBS = """\
schedule:
  nightly: { cron: "@daily", command: clearsessions }
venv: { keeper: %s }
"""


@pytest.mark.parametrize(("keeper", "way"), [("supervisor", "cron"), ("auto", "auto")])
def test_cron_keeps_the_jobs_where_supervisor_keeps_the_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeper: str, way: str
) -> None:
    shop = site_from(tmp_path, CONFIG + JOBS % keeper, monkeypatch)
    assert [(job.name, job.role, job.hosts) for job in shop.schedule] == [("nightly", "web", ("a",))]
    assert {scheduling(shop, target).way for target in shop.targets} == {way}
    check_releasable(shop)
    assert (shop.files.is_container, shop.backup) == (False, None)
