"""Virtualenvs of releases, built for real by uv and by pip, from a wheel in the project (no package index)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipway.core.action import Command
from shipway.core.layout import Layout
from shipway.core.step import Step
from shipway.core.unit import Unit
from shipway.runtimes.base import Release
from shipway.runtimes.venv import Venv, VenvSettings
from shipway.runtimes.venv.settings import LockKind
from tests.absent import absent
from tests.contract.host import Host, temporary_host
from tests.contract.project import commit, git, new_repository

PROGRAMS = Path(sys.executable).parent
BASE_PYTHON = str(Path(sys.base_prefix) / "bin" / "python3")
PINNED = "--no-index\n--find-links vendor\ntiny==1.0\n"
UV_PROJECT = """
    [project]
    name = "shop"
    version = "1"
    requires-python = ">=3.9"
    dependencies = ["tiny==1.0"]
    [tool.uv]
    package = false
    no-index = true
    find-links = ["vendor"]
"""


def write_wheel(where: Path) -> None:
    where.mkdir()
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": "def main(): print('tiny runs')\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
        "tiny-1.0.data/data/share/tiny/data.txt": "data\n",
        "tiny-1.0.data/headers/tiny.h": "",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(where / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(name, text)


@pytest.fixture(params=["uv", "pip"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    """A host with uv on its PATH, or without."""
    if request.param == "uv" and not (PROGRAMS / "uv").exists():
        absent("needs uv")
    (tmp_path / "bin").mkdir()
    if request.param == "uv":
        (tmp_path / "bin" / "uv").symlink_to(PROGRAMS / "uv")
    system = [p for p in os.environ["PATH"].split(":") if not (Path(p) / "uv").exists()]
    with temporary_host(":".join([str(tmp_path / "bin"), *system]), {}) as made:
        repository = new_repository(made.root / "repository")
        write_wheel(repository / "vendor")
        yield made


def releases(host: Host, kind: LockKind, files: dict[str, str]) -> tuple[Layout, list[tuple[Step, ...]]]:
    """Return the steps of two releases with the same lock, without Django's check."""
    repository = host.root / "repository"
    version = commit(repository, files)
    name = "uv.lock" if kind == "uv" else "requirements.txt"
    settings = VenvSettings(python=BASE_PYTHON, lock=kind, lock_file=name, lock_digest="d")
    layout = Layout(str(host.root / "s"), "shop")
    runtime, planned = Venv(layout, "here", settings), []
    for release in ("r1", "r2"):
        unit = Unit("shop", "web", "here", release, version, cmd="tiny")
        steps = runtime.prepare_steps(Release(release, version, str(repository)), [unit])
        planned.append(tuple(step for step in steps if "/check-" not in step.id))
    return layout, planned


def tiny(host: Host, layout: Layout, release: str) -> str:
    result = host.run(Command((f"{layout.venv(release)}/bin/tiny",)))
    assert result.ok, result.said
    return result.text


def run_steps(host: Host, *steps: Step) -> None:
    for step in steps:
        assert host.step(step), step.title


def remove(host: Host, layout: Layout, release: str) -> None:
    run_steps(host, *Venv(layout, "here", VenvSettings(python=BASE_PYTHON)).remove_steps(release, ["web"]))


def stores(layout: Layout) -> list[Path]:
    return list(Path(layout.packages).iterdir())


def inode(layout: Layout, release: str) -> int:
    (path,) = Path(layout.venv(release)).glob("lib/python*/site-packages/tiny.py")
    return path.stat().st_ino


def test_an_unchanged_lock_shares_its_files(host: Host) -> None:
    layout, (first, second) = releases(host, "requirements", {"requirements.txt": PINNED})
    run_steps(host, *first)
    shutil.rmtree(host.root / "repository" / "vendor")  # from here on nothing can be installed
    run_steps(host, *second)
    assert tiny(host, layout, "r1") == tiny(host, layout, "r2") == "tiny runs\n"
    assert inode(layout, "r1") == inode(layout, "r2")
    venv = Path(layout.venv("r2"))
    assert str(venv) in (venv / "bin" / "tiny").read_text()
    assert (venv / "share" / "tiny" / "data.txt").read_text() == "data\n"
    assert len(list(venv.glob("include/**/tiny.h"))) == 1
    remove(host, layout, "r1")
    assert tiny(host, layout, "r2") == "tiny runs\n", "what r2 points to stays"
    remove(host, layout, "r2")
    assert stores(layout) == []


def test_a_release_that_is_not_whole_keeps_its_packages(host: Host) -> None:
    layout, (first, second) = releases(host, "requirements", {"requirements.txt": PINNED})
    run_steps(host, *first, *second[:-1])
    remove(host, layout, "r1")
    assert tiny(host, layout, "r2") == "tiny runs\n"
    host.undo(second[-2])
    assert len(stores(layout)) == 1, "the next release of this lock takes it"


def test_what_the_lock_includes_counts(host: Host) -> None:
    files = {"requirements.txt": "-r base.txt\n", "base.txt": PINNED}
    layout, (first, _) = releases(host, "requirements", files)
    _, (_, second) = releases(host, "requirements", {"base.txt": PINNED + "# changed\n"})
    run_steps(host, *first, *second)
    assert tiny(host, layout, "r1") == tiny(host, layout, "r2") == "tiny runs\n"
    assert len(stores(layout)) == 2
    remove(host, layout, "r2")
    assert len(stores(layout)) == 1
    assert tiny(host, layout, "r1") == "tiny runs\n"


def test_what_was_installed_from_the_project_is_not_shared(host: Host) -> None:
    lock = "./vendor/tiny-1.0-py3-none-any.whl\n"
    layout, (first, second) = releases(host, "requirements", {"requirements.txt": lock})
    run_steps(host, *first, *second)
    assert stores(layout) == []
    shutil.rmtree(layout.release("r1"))
    assert tiny(host, layout, "r2") == "tiny runs\n"


def killed_before(script: str, line: int) -> str:
    """Return a script that kills its shell before a line, "" when the line does not begin a command."""
    lines = script.splitlines()
    lines.insert(line, "kill -KILL $$")
    text = "\n".join(lines)
    return (
        text
        if subprocess.run(["sh", "-n"], input=text.encode(), stderr=subprocess.DEVNULL, check=False).returncode == 0
        else ""
    )


@pytest.mark.parametrize("host", ["uv"], indirect=True)
def test_the_step_can_be_killed_between_any_two_commands(host: Host) -> None:
    layout, (first, second) = releases(host, "requirements", {"requirements.txt": PINNED})
    (command,) = first[2].do
    assert isinstance(command, Command)
    (script,) = command.stdin
    assert isinstance(script, str)
    kills = 0
    lines = script.splitlines()
    for line in range(lines.index("unset VIRTUAL_ENV PYTHONPATH PYTHONHOME"), len(lines) + 1):
        if text := killed_before(script, line):
            run_steps(host, *first[:2])
            kills += not host.run(replace(command, stdin=(text,))).ok
            for step in (*second, *first[2:]):
                host.step(step)
            assert tiny(host, layout, "r1") == tiny(host, layout, "r2") == "tiny runs\n", text
            assert inode(layout, "r1") == inode(layout, "r2")
            remove(host, layout, "r1")
            remove(host, layout, "r2")
            assert stores(layout) == []
    assert kills > 6


def test_a_half_built_virtualenv_is_built_again(host: Host) -> None:
    layout, (first, _) = releases(host, "requirements", {"requirements.txt": "--no-index\nmissing==1\n"})
    unpack, describe, install, complete = first
    for step in (unpack, describe):
        host.step(step)
    result = host.run(install.do[0])
    assert not result.ok
    assert "missing" in result.said
    assert Path(layout.venv("r1")).exists()
    assert not host.ok(install.done)
    assert not host.ok(complete.done)
    host.undo(install)
    assert not Path(layout.venv("r1")).exists()


def test_a_uv_lock_is_kept_to(host: Host, request: pytest.FixtureRequest) -> None:
    repository = host.root / "repository"
    commit(repository, {"pyproject.toml": UV_PROJECT})
    if not (PROGRAMS / "uv").exists():
        absent("needs uv")
    subprocess.run([PROGRAMS / "uv", "lock", "--quiet", "--offline"], cwd=repository, check=True)
    layout, (first, second) = releases(host, "uv", {})
    if "pip" in request.node.name:
        unpack, _, install, _ = first
        host.step(unpack)
        assert "needs uv on this host" in host.run(install.do[0]).said
        return
    for step in (*first, *second):
        host.step(step)
    assert tiny(host, layout, "r2") == "tiny runs\n"
    assert inode(layout, "r1") == inode(layout, "r2")
    assert git(repository, "status", "--porcelain") == ""
