import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from shipway.app.demo.workspace import end_processes, free_port, processes_of, workspace
from shipway.core.layout import Layout

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"


def start(*words, cwd=None):
    return subprocess.Popen(words, cwd=cwd, start_new_session=True, stdout=subprocess.PIPE, text=True)


def test_a_workspace_leaves_no_file():
    async def main():
        async with workspace() as opened:
            assert (opened.project.path / "manage.py").exists()
            return opened.path

    assert not asyncio.run(main()).exists()


def test_what_shipway_brings_for_the_demo_is_found_inside_only(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    async def main():
        async with workspace():
            return os.environ["PATH"]

    assert asyncio.run(main()).split(os.pathsep) == [str(Path(sys.executable).parent), "/usr/bin", "/bin"]
    assert os.environ["PATH"] == "/usr/bin:/bin"


def test_a_workspace_that_is_kept_stays(tmp_path):
    async def main():
        async with workspace() as opened:
            opened.keep = True
            return opened.path

    path = asyncio.run(main())
    assert path.exists()
    path.rename(tmp_path / "kept")  # pytest removes it


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError])
def test_an_end_by_an_error_or_a_signal_leaves_no_file_and_no_process(error):
    paths, processes = [], []

    async def main():
        async with workspace() as opened:
            paths.append(opened.path)
            processes.append(start("sleep", "60", cwd=opened.path))
            raise error

    with pytest.raises(error):
        asyncio.run(main())
    assert not paths[0].exists()
    assert processes[0].wait(5) == -signal.SIGTERM
    processes[0].stdout.close()


def test_what_ignores_a_soft_end_is_killed(tmp_path):
    process = start(sys.executable, "-c", STUBBORN, str(tmp_path / "x"))
    process.stdout.readline()
    assert end_processes(tmp_path, limit_s=0.4) == (process.pid,)
    assert process.wait(5) == -signal.SIGKILL
    process.stdout.close()


def test_only_what_runs_from_the_directory_is_found(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "ab").mkdir()
    process = start("sleep", "60", cwd=tmp_path / "ab")
    try:
        assert processes_of(tmp_path / "a") == ()
        assert processes_of(tmp_path) == (process.pid,)
        assert os.getpid() not in processes_of(tmp_path)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_sockets_of_releases_fit():
    async def main():
        async with workspace() as opened:
            return Layout(opened.project.place.state_directory, "harbor").socket("web", "r10")

    assert len(asyncio.run(main())) <= 107


def test_a_free_port_is_free():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", free_port()))
