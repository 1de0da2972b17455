"""What goes wrong on the host while a release serves: told, taken back, and visitors notice nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shipway.app.demo.workspace import end_processes
from tests.absent import IS_CI
from tests.live.machine import new_machine, wait_until
from tests.live.site import Site, new_site
from tests.live.test_bad_input import Change, assert_told, deep

BROKEN_MIGRATION = """
from django.db import migrations
from django.db.models.signals import pre_migrate

def freeze(**kwargs):
    raise RuntimeError("the harbour is frozen")

pre_migrate.connect(freeze)

class Migration(migrations.Migration):
    dependencies = [("ships", "0004_inspections_and_reports")]
"""
END_AT_ONCE = "python -c 'raise SystemExit(\"no engine\")'"
FAULTS: dict[str, tuple[Change, str, str]] = {
    "packages that do not exist": (
        lambda site: site.append("requirements.txt", "\ndjango==0.0.1\n"), "install-packages", "django",
    ),
    "a project that cannot be imported": (
        lambda site: site.append("harbor/settings.py", "\nimport nothing_of_that_name\n"),
        "check-", "nothing_of_that_name",
    ),
    "a migration that fails": (
        lambda site: site.write("ships/migrations/0005_freeze.py", BROKEN_MIGRATION), "migrate", "harbour is frozen",
    ),
    "a worker that ends at once": (deep("servers", "worker", "cmd", value=END_AT_ONCE), "start-worker", "no engine"),
    "a scheduler that ends at once": (deep("servers", "beat", "cmd", value=END_AT_ONCE), "start-beat", "no engine"),
    "a web server that is not there": (deep("servers", "web", "cmd", value="nosuchprogram"), "start-web", "nosuchp"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_release_that_does_not_work_is_taken_back(site: Site, fault: str):
    change, step, word = FAULTS[fault]
    change(site)
    site.commit()
    error = assert_told(site.deploy(), 10, "step.failed", now=True)
    assert step in error["where"]
    assert word in error["said"], error
    assert "r1 serves" in error["now"]


def test_files_that_may_not_grow(site: Site):
    """What a full disk is to a user without rights: no file takes one byte more, so not even the lock is taken."""
    words = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh")
    assert_told(site("deploy", "--json", within=words), 4, "lock.unwritable")


def test_a_state_directory_that_is_read_only(site: Site):
    with read_only(site) as words:
        assert_told(site("deploy", "--json", within=words), 4, "lock.unwritable")


@contextmanager
def read_only(site: Site) -> Iterator[tuple[str, ...]]:
    """Give the words before which a command sees the state directory read-only; the running site still writes."""
    if os.geteuid() != 0:
        modes = {path: path.stat().st_mode for path in (site.home, site.home / "lock")}
        for path in modes:
            path.chmod(0o555)
        try:
            yield ()
        finally:
            for path, mode in modes.items():
                path.chmod(mode)
        return
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    words = ("unshare", "--mount", "sh", "-c", script, str(site.machine.state))
    if not may(*words, "true"):
        skip("this root may not mount")
    yield words


def may(*words: str) -> bool:
    return shutil.which(words[0]) is not None and not subprocess.run(words, capture_output=True, check=False).returncode


def skip(why: str) -> None:
    assert not (IS_CI and os.geteuid() == 0), why
    pytest.skip(why)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a disk of its own, in memory."""
    with new_machine() as machine:
        machine.state.mkdir()
        if os.geteuid() != 0 or not may("mount", "-t", "tmpfs", "-o", "size=300m", "shipway", str(machine.state)):
            skip("only root may make a small disk")
        try:
            made = new_site(machine, "harbor")
            ran = made.deploy()
            assert ran.code == 0, ran.text
            yield made
            end_processes(machine.root)
        finally:
            subprocess.run(("umount", "--lazy", machine.state), check=True)


DISKS = {
    "not even the lock": (0, 0, 4, "lock.unwritable", ""),
    "not the plan": (36, 0, 4, "ledger.unwritable", ""),
    "not the files of the project": (2_000, 3_000, 10, "step.failed", "unpack-"),
    "not the packages": (1_500, 0, 10, "step.failed", ""),
}


@pytest.mark.parametrize("case", DISKS)
def test_a_full_disk(small_disk: Site, tmp_path: Path, case: str):
    """How much is free and how large the project is, in kilobytes, decide how far a deploy comes."""
    free_kb, size_kb, code, slug, step = DISKS[case]
    wait_until(small_disk.is_whole, 60)  # whatever the case before did to it
    before = small_disk.trace()
    site = small_disk.clone(tmp_path / "project")
    (site.directory / "chart.bin").write_bytes(os.urandom(size_kb * 1024))
    site.append("requirements.txt", "# another lock, so that no packages are taken from the release before\n")
    site.commit()
    filler = small_disk.machine.state / "filler"
    try:
        fill(filler, free_kb * 1024)
        error = assert_told(site.deploy(), code, slug, now=code == 10)
        assert step in error["where"]
        assert "space" in error["said"].lower(), error
        assert small_disk.get().release == "r1"
    finally:
        filler.unlink()
    # The example writes to that disk as well: what ended without room is started again by its keeper.
    wait_until(small_disk.is_whole, 60)
    small_disk.assert_serves("r1")
    assert small_disk.trace() == before


def fill(file: Path, leave_bytes: int) -> None:
    """Leave so much room. The example goes on writing to that disk, so a first answer may be too old."""
    for _ in range(50):
        with file.open("wb") as out:
            disk = os.statvfs(file)
            with contextlib.suppress(OSError):
                os.posix_fallocate(out.fileno(), 0, max(1, disk.f_bavail * disk.f_frsize - leave_bytes))
                return
    raise AssertionError("the disk could not be filled")


def test_the_keeper_is_killed_before_a_deploy(moving: Site):
    moving.serving()
    os.kill(moving.machine.keeper, signal.SIGKILL)
    assert moving.get().status == 200, "its processes outlive it"
    ran = moving.deploy()
    assert ran.code == 0, ran.text
    moving.assert_serves(ran.report["release"])


@pytest.mark.parametrize("step", ["check-", "start-worker", "start-beat"])
def test_the_keeper_is_killed_in_the_middle(moving: Site, step: str):
    before = moving.serving()
    with moving.start("deploy", "--json") as running:
        running.wait_for("step.begin", step)
        os.kill(moving.machine.keeper, signal.SIGKILL)
        ran = running.wait()
    if ran.code == 0:
        moving.assert_serves(ran.report["release"])
    else:
        assert_told(ran, 10, "step.failed", now=True)
        moving.assert_serves(before)


def test_the_proxy_is_killed_and_comes_back(moving: Site):
    before, proxy = moving.serving(), moving.machine.proxy
    os.kill(proxy, signal.SIGKILL)
    wait_until(lambda: moving.get().status == 200)
    assert moving.machine.proxy != proxy
    moving.assert_serves(before)


@pytest.mark.parametrize("step", ["check-", "drain-"])
def test_the_proxy_is_killed_in_the_middle(moving: Site, step: str):
    moving.serving()
    with moving.start("deploy", "--json") as running:
        running.wait_for("step.begin", step)
        os.kill(moving.machine.proxy, signal.SIGKILL)
        ran = running.wait()
    assert ran.code == 0, ran.text
    wait_until(lambda: moving.get().status == 200)
    moving.assert_serves(ran.report["release"])
