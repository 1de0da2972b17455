from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipway.core.action import Pipe, Upload
from shipway.core.layout import Layout
from shipway.core.secret import SecretRef
from shipway.core.step import Plan, Stage, Step, violations
from shipway.core.unit import HealthCheck, Unit
from shipway.runtimes.base import Release
from shipway.runtimes.venv import Venv, VenvSettings

SETTINGS = VenvSettings(
    settings_module="shop.settings", wsgi="shop.wsgi", lock="uv", lock_file="uv.lock", lock_digest="d",
    static_root="staticfiles", media_root="media", shared=("db.sqlite3",),
)  # fmt: skip
RUNTIME = Venv(Layout("/var/lib/shipway", "shop"), "web-1", SETTINGS)
RELEASE = Release("r2", "0123456789abcdef", "/home/me/my shop", "backend/")
WEB = Unit(
    service="shop", role="web", host="web-1", release="r2", version=RELEASE.version, proxied=True,
    health=HealthCheck(), env=(("KEY", (SecretRef("KEY"),)),),
)  # fmt: skip
WORKER = replace(WEB, role="worker", kind="worker", cmd="celery -A shop worker", proxied=False, health=None)


def all_steps() -> tuple[Step, ...]:
    return (
        *RUNTIME.host_steps(),
        *RUNTIME.prepare_steps(RELEASE, [WEB, WORKER]),
        *RUNTIME.start_steps(WEB),
        *RUNTIME.start_steps(WORKER),
        *RUNTIME.stop_steps(replace(WEB, release="r1")),
        *RUNTIME.remove_steps("r0", ["web", "worker"]),
    )


def test_the_laws_hold_and_planning_is_repeatable() -> None:
    plan = Plan("1", "deploy", "shop", "r2", "v", "r1", "web-1", (Stage("all", (all_steps(),)),))
    assert violations(plan) == ()
    assert plan.secrets() == ("KEY",)
    assert all_steps() == all_steps()


def test_a_part_of_the_repository_can_be_the_project() -> None:
    pipe = RUNTIME.prepare_steps(RELEASE, [WEB])[0].do[0]
    assert isinstance(pipe, Pipe)
    assert pipe.source.argv == ("git", "-C", "/home/me/my shop", "archive", "--format=tar", "0123456789abcdef:backend")


def test_files_with_secrets_are_closed() -> None:
    uploads = [
        a
        for step in all_steps()
        for a in step.do
        if isinstance(a, Upload) and any(SecretRef("KEY", "shell") == p for p in a.body)
    ]
    assert {upload.path for upload in uploads} == {
        "/var/lib/shipway/shop/releases/r2/env/web.env", "/var/lib/shipway/shop/releases/r2/env/worker.env",
    }  # fmt: skip
    assert {upload.mode for upload in uploads} == {0o600}


def test_the_endpoint_is_written_as_caddy_does() -> None:
    assert RUNTIME.endpoint(WEB) == "unix//var/lib/shipway/shop/run/web-r2.sock"


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "a b"},
        {"role": "../x"},
        {"role": "x]\n[program:y"},
        {"role": ""},
        {"role": "-x"},
        {"release": "r 1"},
        {"service": "shop:a"},
        {"stop_signal": "STOP"},
        {"stop_signal": "TERM\nautostart=false"},
        {"role": "r" * 100},
    ],
)
def test_hostile_names_are_refused_when_planned(changes: dict[str, Any]) -> None:
    unit = replace(WEB, **changes)
    with pytest.raises(ValueError, match=r".+"):
        RUNTIME.start_steps(unit)
    with pytest.raises(ValueError, match=r".+"):
        RUNTIME.prepare_steps(RELEASE, [unit])


def test_a_socket_path_that_is_too_long_says_so() -> None:
    with pytest.raises(ValueError, match="107"):
        Venv(Layout("/" + "x" * 70, "a-shop-with-quite-a-name"), "h", SETTINGS).endpoint(
            replace(WEB, role="web-for-the-public")
        )


@pytest.mark.parametrize("layout", [Layout("relative", "shop"), Layout("/r", "a b"), Layout("/r", "")])
def test_a_layout_that_cannot_be_is_refused(layout: Layout) -> None:
    with pytest.raises(ValueError, match="`"):
        Venv(layout, "h", SETTINGS)


def test_a_release_without_roles_is_refused() -> None:
    with pytest.raises(ValueError, match="no role"):
        RUNTIME.prepare_steps(RELEASE, [])


def test_a_version_cannot_be_an_option_of_git() -> None:
    with pytest.raises(ValueError, match="commit"):
        RUNTIME.prepare_steps(replace(RELEASE, version="--output=/x"), [WEB])


def test_nothing_answered_is_nothing_there() -> None:
    facts = RUNTIME.parse({})
    assert not facts.is_keeper_up
    assert facts.releases == ()
