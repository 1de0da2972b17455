from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipway.core.layout import Layout
from shipway.core.logs import LogsAsked
from shipway.runtimes.venv.keeper import Program
from shipway.runtimes.venv.systemd import Systemd, since
from shipway.runtimes.venv.unit_text import UnitText, unit_text

GOLDEN = Path(__file__).parents[3] / "golden" / "systemd"
LAYOUT = Layout("/var/lib/shipway", "shop")
PLACE = "/var/lib/shipway/shop/releases/r1"
PROGRAM = Program(
    name="shop-web-r1", argv=("/bin/sh", f"{PLACE}/launch", "keep", f"{PLACE}/units/web.unit"),
    definition=f"{PLACE}/units/web", pidfile="/p", launcher=f"{PLACE}/launch", pythons=("a", "b"), notifies=True,
)  # fmt: skip
WORKER = replace(PROGRAM, name="shop-worker-r1", notifies=False, stop_signal="QUIT", stop_s=90.0)
SYSTEM = Systemd(LAYOUT, "sudo", "deploy", "/home/deploy")
USER = Systemd(Layout("/home/me/.shipway", "shop"), "user", "me", "/home/me")
PROXY = UnitText(
    "shipway-proxy (Caddy)", ("/usr/bin/caddy", "run", "--config", "/r/a b.json"), "/r", "system", "deploy",
    notifies=True, low_ports=True, directory="/r/proxy", env=(("HOME", "/r/proxy/tls"),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("system-web.service", SYSTEM.text(PROGRAM)),
        ("system-worker.service", SYSTEM.text(WORKER)),
        ("user-worker.service", USER.text(WORKER)),
        ("proxy.service", unit_text(PROXY)),
    ],
)
def test_unit_files(name: str, text: str) -> None:
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("word", "written"),
    [("100%", '"100%%"'), ("$HOME", '"$$HOME"'), ('a "b"', '"a \\"b\\""'), ("\\", '"\\\\"'), ("é ;#'", '"é ;#\'"')],
)
def test_a_word_means_itself(word: str, written: str) -> None:
    text = unit_text(replace(PROXY, argv=("/bin/echo", word)))
    assert f'ExecStart="/bin/echo" {written}\n' in text


@pytest.mark.parametrize("changes", [{"argv": ("a\nb",)}, {"user": "a\nRoot"}, {"root": "/\x1b"}, {"title": "a\0"}])
def test_control_characters_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="control"):
        unit_text(replace(PROXY, **changes))  # type: ignore[arg-type]


def test_what_changes_the_machine_is_asked_of_root() -> None:
    start, (stop,) = SYSTEM.start(PROGRAM), SYSTEM.stop(WORKER)
    assert start.words()[:2] == stop.words()[:2] == ("sudo", "-n")
    assert start.stdin == (SYSTEM.text(PROGRAM),)
    assert stop.limit_s > 90
    for keeper in (replace(SYSTEM, way="root"), USER):
        assert not keeper.start(PROGRAM).sudo
        assert not keeper.log(PROGRAM, LogsAsked()).sudo
    assert SYSTEM.installed(PROGRAM) == "/etc/systemd/system/shipway-shop-web-r1.service"
    assert USER.installed(PROGRAM) == "/home/me/.config/systemd/user/shipway-shop-web-r1.service"


def test_only_a_user_needs_linger() -> None:
    assert SYSTEM.host_steps("h") == ()
    assert [step.id for step in USER.host_steps("h")] == ["h/enable-linger"]


def test_the_journal_is_asked() -> None:
    asked = LogsAsked(7, follows=True, since="10m", has_times=True)
    assert SYSTEM.log(PROGRAM, asked).argv == (
        "journalctl", "--quiet", "--no-pager", "--lines=7", "--output=short-iso", "--since=-10m", "--follow",
        "--unit=shipway-shop-web-r1.service",
    )  # fmt: skip
    assert USER.log(PROGRAM, LogsAsked()).argv[-1] == "--user-unit=shipway-shop-web-r1.service"
    with pytest.raises(ValueError, match="containers"):
        SYSTEM.log(PROGRAM, LogsAsked(container="x"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("10m", "-10m"), ("1h30m", "-1h30m"), ("2026-01-31", "2026-01-31"),
        ("2026-01-31T12:00:00Z", "2026-01-31 12:00:00 UTC"), ("2026-01-31 12:00", "2026-01-31 12:00"),
        ("2026-01-31T12:00:00.123456Z", "2026-01-31 12:00:00 UTC"),
    ],
)  # fmt: skip
def test_times_are_written_for_the_journal(text: str, written: str) -> None:
    assert since(text) == written


@pytest.mark.parametrize("text", ["", "yesterday", "10", "m", "-10m", "--all", "2026-1-1", "10m; reboot"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no time"):
        since(text)
