from pathlib import Path

import pytest

from shipway.config.env import Env, merge_envs
from shipway.config.hooks import check_hook_files
from shipway.config.load import load_config
from shipway.config.model import AssetPath, Config
from shipway.config.proxy_run import ProxyRun
from shipway.config.summary import summary
from shipway.core.secret import SecretRef

CASES = Path(__file__).parent / "cases"


def _load(name: str) -> Config:
    return load_config({f"{name}.yml": (CASES / f"{name}.yml").read_text()})


@pytest.fixture(name="everything")
def _everything() -> Config:
    return _load("everything")


def test_proxy_of_a_role_is_laid_over_that_of_the_root() -> None:
    config = _load("proxy_roles")
    proxy = config.role("web").proxy
    assert proxy is not None
    assert proxy.healthcheck is not None
    assert (proxy.healthcheck.path, proxy.healthcheck.interval, proxy.response_timeout) == ("/health", 3, 10)
    assert proxy.names() == ("www.example.com", "example.com")
    assert config.proxy_run("b") == ProxyRun(http_port=8080)
    assert config.proxy_run("c") is None


def test_roles_of_a_host_begin_with_the_primary(everything: Config) -> None:
    assert [role.name for role in everything.roles_on("web-2")] == ["web", "beat", "worker"]
    assert everything.app_hosts == ("web-1", "web-2")


def test_flags_of_docker_are_kept_in_their_types(everything: Config) -> None:
    flags = {"memory": "2g", "cpus": 1.5, "privileged": True, "add-host": ("a:1", "b:2")}
    assert everything.role("web").options == flags
    assert everything.role("worker").options == {}


def test_assets_logs_and_hooks(everything: Config) -> None:
    assert everything.role("web").asset_path == AssetPath("/app/assets", "ro")
    assert everything.role("worker").asset_path is None
    assert everything.role("worker").logging.resolved_options() == {"max-size": "5m"}
    assert everything.hooks.output_of("pre-deploy") == "verbose"
    assert everything.hooks.path == "deploy/hooks"
    assert everything.full_service == "shop"
    assert everything.builder is not None
    assert everything.builder.args == {"A": 1, "FROM_ENVIRONMENT": None}


def test_default_logs_are_bounded() -> None:
    assert _load("x_shipway").logging.resolved_options() == {"max-size": "10m"}


def test_mounts_of_accessories(everything: Config) -> None:
    db = next(accessory for accessory in everything.accessories if accessory.name == "db")
    assert [(m.local, m.remote, m.mode, m.owner, m.options) for m in (*db.files, *db.directories)] == [
        ("a", "/a", None, None, None),
        ("b", "/b", "0600", "1:1", "ro"),
        ("data", "/data", None, None, "z"),
    ]
    assert db.network == "kamal"
    assert db.env.secrets() == {"POSTGRES_PASSWORD": "DB_PASSWORD"}


def test_ssh(everything: Config) -> None:
    assert everything.ssh.port_number == 2222
    assert everything.ssh.jump == "root@bastion"
    assert _load("x_shipway").ssh.port_number == 22


def test_registry_credentials_are_references(everything: Config) -> None:
    assert everything.registry is not None
    assert everything.registry.password == SecretRef("REGISTRY_PASSWORD")


def test_what_reads_differently_than_it_is_written_is_a_warning(everything: Config) -> None:
    assert [(found.where, found.level) for found in everything.warnings] == [
        ("everything.yml:44 servers/worker/env/clear/C", "warning"),
        ("everything.yml:49 env/clear/N", "warning"),
        ("everything.yml:67 accessories/cache/port", "warning"),
        ("everything.yml:77 output", "warning"),
    ]


def test_own_settings() -> None:
    config = _load("venv")
    assert (config.django.settings, config.django.health, config.django.manage) == (
        "shop.settings.production",
        "/health/",
        "manage.py",
    )
    assert (config.venv.python, config.venv.lock, config.venv.groups) == ("3.12", "uv.lock", ("production",))
    assert (config.release.migrations, config.project, config.shared) == ("approve", "backend", ("var",))
    proxy = config.role("web").proxy
    assert proxy is not None
    assert (proxy.tls, proxy.access_log, proxy.is_tls) == ("internal", False, True)


def test_environments_merge_like_kamals() -> None:
    merged = merge_envs((Env({"A": 1, "B": True}, ("X", "Y:OLD")), Env({"A": "", "C": 1.5}, ("Y:NEW", "X"))))
    assert merged.texts() == {"A": "", "B": "true", "C": "1.5"}
    assert merged.secret == ("X", "Y:OLD", "Y:NEW")
    assert merged.secrets() == {"X": "X", "Y": "NEW"}


def test_no_secret_of_the_file_is_shown() -> None:
    text = (
        (CASES / "everything.yml").read_text().replace("[REGISTRY_PASSWORD]", "planted-1").replace("p }", "planted-2 }")
    )
    config = load_config({"deploy.yml": text})
    assert "planted" in text
    assert "planted" not in repr(config)
    assert "planted" not in repr(summary(config))


def test_hooks_of_kamal_1_are_found() -> None:
    found = check_hook_files(["pre-deploy", "post-traefik-reboot"], ".kamal/hooks")
    assert "Found post-traefik-reboot, these should be renamed to (pre|post)-proxy-reboot" in found[0].what
    assert found[0].next == "mv .kamal/hooks/post-traefik-reboot .kamal/hooks/post-proxy-reboot"
    assert check_hook_files(["pre-deploy"], ".kamal/hooks") == ()
