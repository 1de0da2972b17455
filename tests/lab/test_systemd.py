"""systemd keeps the harbour: by a login with sudo, by root, and by one without either, over restarts of the machine.

Each test is the story of one server, since its steps build on each other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.bare_server import Operator, bare_server
from tests.lab.fixtures import Lab, LabHost
from tests.lab.harbor import Harbor, Visitors, as_user, eventually, give_uv

PHOTO = b"\x89PNG\r\n\x1a\n" + os.urandom(3_500_000)  # more than Django keeps in memory: it goes through /tmp
# A login without sudo; its own units may run without a session.
PLAINEST = """\
useradd -m -s /bin/bash plainest && mkdir ~plainest/.ssh && cp /lab/authorized_keys ~plainest/.ssh/ \
  && chown -R plainest ~plainest/.ssh && chmod -R go= ~plainest/.ssh && loginctl enable-linger plainest
"""

New = Callable[..., AbstractContextManager[Harbor]]


@pytest.fixture
def new(lab: Lab, tmp_path: Path) -> New:
    """Give what makes a server with the project of a login, deployed."""

    @contextmanager
    def make(number: int, login: str, root: str, **changes: object) -> Iterator[Harbor]:
        with bare_server(lab, tmp_path, number) as operator:
            host: LabHost = operator.host
            assert host.run("sh", "-c", PLAINEST).status == 0
            give_uv(lab, host)
            placed: Operator = replace(operator, directory=tmp_path / login)
            harbor = Harbor(placed, login, 80 if login != "plainest" else 8080, root, **changes)  # type: ignore[arg-type]
            harbor.make()
            assert harbor.deploy() == "r1"
            yield harbor

    return make


def test_a_login_with_sudo(new: New) -> None:
    with new(21, "deploy", "/home/deploy/.shipway") as harbor:
        assert_kept_by_the_machine(harbor)
        assert_project_writes(harbor)
        assert_worker_finishes_its_task(harbor)
        harbor.commit()
        with Visitors(harbor) as visitors:
            assert harbor.deploy() == "r2"
        assert visitors.asked > 100
        assert visitors.failed == []
        assert_runs(harbor, "r2")

        restart(harbor)
        eventually(lambda: harbor.serving() == "r2")
        assert_runs(harbor, "r2")

        assert harbor("rollback").status == 0
        assert harbor.serving() == "r1"
        assert_runs(harbor, "r1")

        removed = harbor("remove", "--yes")
        assert removed.status == 0, removed.err
        assert harbor.units() == set()
        assert harbor.ask("ls -R /etc/systemd/system | grep -c ^shipway- || :") == "0"


def test_root(new: New) -> None:
    with new(22, "root", "/var/lib/shipway") as harbor:
        assert_kept_by_the_machine(harbor)
        assert_project_writes(harbor)

        main = "systemctl show -p MainPID --value shipway-harbor-worker-r1"
        before = harbor.ask(main)
        harbor.ask(f"kill -KILL {before}")
        eventually(lambda: harbor.ask(main) not in ("0", before))
        assert_runs(harbor, "r1")

        harbor.append("gunicorn.conf.py", "\nraise RuntimeError('no such quay')\n")
        harbor.commit()
        failed = harbor("deploy")
        assert failed.status == 10, failed.err
        assert "no such quay" in failed.err, "the journal explains it"
        assert_runs(harbor, "r1")

        restart(harbor)
        eventually(lambda: harbor.serving() == "r1")
        assert_runs(harbor, "r1")


def test_a_login_without_rights_that_had_supervisor(new: New) -> None:
    with new(23, "plainest", "/home/plainest/.shipway", keeper="supervisor") as harbor:
        assert harbor.units() == set()
        harbor.configure(keeper="")
        assert harbor.deploy() == "r2"
        assert harbor.units() == set(), "by itself it stays with supervisor"

        harbor.configure(keeper="systemd")
        assert harbor.deploy() == "r3"
        assert_runs(harbor, "r3")
        assert harbor.ask(f"ls {harbor.root}/keeper/programs") == ""
        units = "/home/plainest/.config/systemd/user/shipway-*.service"
        assert harbor.ask(as_user("plainest", f"systemd-analyze --user verify {units} 2>&1")) == ""
        assert_project_writes(harbor)

        back = harbor("rollback", "r1")
        assert back.status == 0, back.err
        assert harbor.serving() == "r1"
        assert_runs(harbor, "r1")  # which supervisor had begun

        restart(harbor)
        eventually(lambda: harbor.serving() == "r1")
        assert_runs(harbor, "r1")


def assert_runs(harbor: Harbor, release: str) -> None:
    """Exactly the units of `release` and the proxy run, and the manager starts no others."""
    eventually(lambda: harbor.units() == harbor.all_of(release))
    assert harbor.enabled() == {name for name, _ in harbor.all_of(release)}


def assert_kept_by_the_machine(harbor: Harbor) -> None:
    assert_runs(harbor, "r1")
    assert harbor.ask("systemd-analyze verify /etc/systemd/system/shipway-*.service 2>&1") == ""
    show = "systemctl show -p User -p Type -p StatusText -p NRestarts shipway-harbor-web-r1"
    facts = dict(line.split("=", 1) for line in harbor.ask(show).splitlines())
    assert facts == {"User": harbor.login, "Type": "notify", "StatusText": "Gunicorn arbiter booted", "NRestarts": "0"}
    assert harbor.ask(f"stat -c '%a %U' {harbor.home}/releases/r1/env/web.env") == f"600 {harbor.login}"
    assert harbor.ask(f"ls {harbor.root}/tools/bin | grep -c supervisor || :") == "0", "what is not needed is not there"
    assert "Booting worker" in harbor("logs", "--roles", "web", "--since", "10m", "-n", "9").out


def assert_project_writes(harbor: Harbor) -> None:
    """With all that is taken from a unit the project writes its SQLite file, uploads and /tmp."""
    assert harbor.upload(PHOTO) == PHOTO
    assert "Ark" in harbor.request("GET", "/").body.decode()


def assert_worker_finishes_its_task(harbor: Harbor) -> None:
    state, worker = f"{harbor.home}/shared/var", "shipway-harbor-worker-r1"
    enqueued = harbor("manage", "shell", "-c", "from ships.tasks import slow; slow.enqueue()")
    assert enqueued.status == 0, enqueued.err
    eventually(lambda: "slow-began" in harbor.ask(f"ls {state}"))
    assert "slow-ended" in harbor.ask(f"systemctl stop {worker} && ls {state}"), "it stopped when its task was done"
    harbor.ask(f"systemctl start {worker}")


def restart(harbor: Harbor) -> None:
    host = harbor.operator.host
    answer = host.engine.ask("restart", "-t", "20", host.facts.container, limit_s=60)
    assert answer.status == 0, answer.err
    eventually(lambda: host.run("systemctl", "is-system-running", "--wait").out.strip() == "running")
