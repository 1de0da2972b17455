"""`django`, `venv`, `release`: what Shipway knows and Kamal does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from shipway.config.keys import ListOf, Section, key
from shipway.config.kinds import Boolean, Duration, Integer, Text

Migrations = Literal["auto", "approve", "manual"]
KeeperName = Literal["auto", "systemd", "supervisor"]
Tasks = Literal["wait", "refuse", "ignore"]
OnFailure = Literal["rollback", "hold", "ask"]
BackupWhen = Literal["risky", "always"]
Collect = Literal["auto", "build", "release", "never"]

_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_APPLICATION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_]\w*)?")


def check_relative(text: str) -> str:
    """Return what is wrong with a path that must stay inside the repository, or ""."""
    if text.startswith(("/", "~")) or ".." in text.split("/") or "\0" in text:
        return f"should be a path inside the project, not `{text}`"
    return ""


def _check_module(text: str) -> str:
    return "" if _MODULE.fullmatch(text) else f"should be a dotted name such as shop.settings, not `{text}`"


def _check_application(text: str) -> str:
    return "" if _APPLICATION.fullmatch(text) else f"should be a name such as shop.wsgi:application, not `{text}`"


def _check_url_path(text: str) -> str:
    return "" if text.startswith("/") else f"should begin with `/`, not `{text}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Static:
    """Static files."""

    root: str | None = key(Text(), "The directory that collectstatic fills.", default="none; nothing is collected then")
    url: str | None = key(Text(), "The URL below which they are served.", default="`/static/`")
    collect: Collect = key(
        Text(choices=("auto", "build", "release", "never")),
        "When collectstatic runs: while the image is built, with each release, or never.",
        default="auto",
        value="auto",
    )
    check: bool = key(
        Boolean(),
        "Whether a release ends before the switch when a template of the project names a static file that the manifest"
        " lacks.",
        default="true",
        value=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Uploaded files."""

    root: str | None = key(Text(), "The directory of uploaded files.", default="none; uploads stay in the release then")
    url: str | None = key(Text(), "The URL below which they are served.", default="`/media/`")
    in_release: bool = key(
        Boolean(), "Uploads may be gone with the container of their release.", default="false", value=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Django:
    """The Django project. What is not set here is found by reading the project."""

    settings: str | None = key(Text(check=_check_module), "The settings module.", default="that of manage.py")
    wsgi: str | None = key(Text(check=_check_application), "The WSGI application.", default="found")
    asgi: str | None = key(Text(check=_check_application), "The ASGI application; served instead of WSGI.")
    manage: str = key(Text(check=check_relative), "The path of manage.py.", default="manage.py", value="manage.py")
    health: str = key(Text(check=_check_url_path), "The path asked for health.", default="/up", value="/up")
    static: Static = key(Section(Static), "Static files.", value=Static())
    media: Media = key(Section(Media), "Uploaded files.", value=Media())


@dataclass(frozen=True, slots=True, kw_only=True)
class Venv:
    """The virtualenv of a release, for `runtime: venv`."""

    python: str | None = key(Text(), "The Python version or interpreter: `3.12`.", default="that of the project")
    lock: str | None = key(Text(check=check_relative), "The lock or requirements file.", default="found")
    extras: tuple[str, ...] = key(ListOf(Text()), "Extras of the project to install.", value=())
    groups: tuple[str, ...] = key(ListOf(Text()), "Dependency groups to install.", value=())
    keeper: KeeperName = key(
        Text(choices=("auto", "systemd", "supervisor")),
        "What keeps processes running; `auto`: systemd, where the host has it and the login may use it.",
        default="auto",
        value="auto",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePolicy:
    """What a release may do."""

    migrations: Migrations = key(
        Text(choices=("auto", "approve", "manual")),
        "Whether migrations run by themselves where that is safe, always need approval, or are left to a person.",
        default="auto",
        value="auto",
    )
    approvals: int = key(
        Integer(least=0),
        "How many people other than the one who deploys must have approved exactly this deploy (`shipway approve …`),"
        " and the migrations that need an approval.",
        default="0",
        value=0,
    )
    rehearse: bool = key(
        Boolean(),
        "Play pending migrations with the old and the new release in a scratch database first, and refuse what fails"
        " there. The database user must be allowed to create databases.",
        default="false",
        value=False,
    )
    tasks: Tasks = key(
        Text(choices=("wait", "refuse", "ignore")),
        "What a deploy does about queued tasks that the new workers cannot do: waits until the old ones have done them,"
        " ends there, or goes on and loses them.",
        default="wait",
        value="wait",
    )
    tasks_timeout: int = key(
        Integer(least=1, unit="s"), "How long a deploy waits for such tasks.", default="300", value=300
    )
    on_failure: OnFailure = key(
        Text(choices=("rollback", "hold", "ask")),
        "What a deploy does when a required check of `verify` fails: goes back to the release before, while that still"
        " runs; holds, with both releases running, until a person decides; or asks at the terminal (without one it"
        " holds).",
        default="rollback",
        value="rollback",
    )
    watch: int = key(
        Duration(),
        "How long a deploy goes on looking at errors, response times and restarts after the checks, before it retires"
        " the old release: `5m`, `90s`. A clear worsening counts as a check that failed.",
        default="0",
        value=0,
    )
    backup: str | None = key(
        Text(),
        "What backs the database up before a release migrates it: `accessory` (a dump of the database in its"
        " accessory), or a command of the shell that prints the backup, run in the environment of the new release.",
        default="none",
    )
    backup_accessory: str | None = key(
        Text(), "The accessory that `backup: accessory` dumps.", default="the one that is PostgreSQL, MySQL or MariaDB"
    )
    backup_when: BackupWhen = key(
        Text(choices=("risky", "always")),
        "Before which migrations: those that lose or change data, or take long; or all.",
        default="risky",
        value="risky",
    )
    backup_keep: int = key(Integer(least=1), "How many backups stay on the host.", default="3", value=3)
    backup_timeout: int = key(Integer(least=1, unit="s"), "Seconds that a backup may take.", default="3600", value=3600)
