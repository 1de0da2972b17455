"""The same site on a host that is reached by SSH: a real sshd on loopback."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.absent import IS_CI
from tests.contract.sshd import SSHD, Sshd, run_sshd
from tests.live.machine import Machine
from tests.live.site import Site, new_site
from tests.live.written import key_of, run_script, write

pytestmark = pytest.mark.skipif(SSHD is None and not IS_CI, reason="there is no sshd here")
HANDED_ON = "PATH|SSL_CERT_.*|REQUESTS_CA_BUNDLE|UV_.*|PIP_.*|(HTTPS?|ALL|NO)_PROXY"


class Line:
    """A TCP port that leads to another one; it counts connections, and how often the client spoke after the server."""

    def __init__(self, port: int) -> None:
        self._to, self.connections, self.turns = port, 0, 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._last: dict[int, bool] = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self.connections += 1
                server = socket.create_connection(("127.0.0.1", self._to))
                for source, sink, is_client in ((client, server, True), (server, client, False)):
                    number = self.connections
                    threading.Thread(target=self._copy, args=(source, sink, number, is_client), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, number: int, is_client: bool) -> None:  # noqa: FBT001
        with suppress(OSError):
            while data := source.recv(65_536):
                self.turns += is_client and self._last.get(number) is False
                self._last[number] = is_client
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    # A login has an environment of its own; what says where programs and packages are is handed on.
    given = {name: value for name, value in os.environ.items() if re.fullmatch(HANDED_ON, name, re.IGNORECASE)}
    with run_sshd("SetEnv " + " ".join(f'"{name}={value}"' for name, value in given.items())) as running:
        yield running


@pytest.fixture(scope="module")
def line(server: Sshd) -> Iterator[Line]:
    made = Line(server.port)
    known = server.known_hosts.read_text()
    server.known_hosts.write_text(known + known.replace(f":{server.port}", f":{made.port}"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def _remote(machine: Machine, server: Sshd, line: Line) -> Site:
    site = new_site(machine, "remote")

    def reach(config: dict[str, Any]) -> None:
        del config["transport"]
        for role in config["servers"].values():
            role["hosts"] = ["127.0.0.1"]
        config["ssh"] = {"user": server.user, "port": line.port, "keys": [str(server.key)], "config": server.config}

    site.configure(reach)
    site.commit()
    ran = site.deploy()
    assert ran.code == 0, ran.text
    site.assert_serves("r1")
    return site


@pytest.fixture
def remote(_remote: Site, tmp_path: Path) -> Site:
    _remote.serving()
    return _remote.clone(tmp_path / "project")


def test_a_deploy_takes_one_connection(remote: Site, line: Line):
    connections, turns = line.connections, line.turns
    ran = remote.deploy()
    assert ran.code == 0, ran.text
    remote.assert_serves(ran.report["release"])
    steps = sum(event["event"] == "step.begin" for event in ran.events)
    made, spoken = line.connections - connections, line.turns - turns
    print(f"a redeploy over SSH: {made} connection, {spoken} turns, {steps} steps")
    assert made == 1
    back = remote("rollback", "--yes", "--json")
    assert back.code == 0, back.text
    remote.assert_serves(ran.report["base"])


def _release_of(script: Path) -> str:
    return next(line for line in script.read_text().splitlines() if line.startswith("release=")).removeprefix(
        "release="
    )


def test_a_script_of_the_release(remote: Site, tmp_path: Path):
    """Over the client's own multiplexed connection, with the secret in no argument and no environment of a host."""
    before = remote.serving()
    script = write(remote, "script", tmp_path / "release.sh")
    code, said = run_script(script, key_of(remote))
    assert code == 0, said
    remote.assert_serves(_release_of(script))
    back = remote("rollback", "--yes", "--json")
    assert back.code == 0, back.text
    remote.assert_serves(before)


def test_looking_and_working_inside(remote: Site):
    assert "Booting worker" in remote("logs", "--roles", "web").out
    ran = remote("exec", "--", "sh", "-c", 'echo "in $PWD"; exit 7')
    assert ran.code == 7, ran.text
    assert str(remote.home) in ran.out
    assert remote("manage", "--", "migrate", "--check").code == 0
    assert remote("status", "--json").code == 0


@pytest.mark.parametrize("step", ["install-packages", "start-web", "start-beat", "stop-web"])
def test_a_connection_that_is_cut(remote: Site, server: Sshd, step: str):
    """The old release serves or the new one, and what the command says is what is."""
    before = remote.serving()
    with remote.start("deploy", "--json") as running:
        running.wait_for("step.begin", step)
        for pid in server.children():
            os.kill(pid, signal.SIGKILL)
        ran = running.wait()
    assert ran.code in (0, 10, 11), ran.text
    print(f"cut at {step}: exit {ran.code} {ran.error.get('now', '')}")
    if ran.code == 0:
        remote.assert_serves(ran.report["release"])
    elif ran.code == 10:
        assert f"{before} serves" in ran.error["now"]
        remote.assert_serves(before)
    else:
        assert "shipway resume" in ran.error["next"]
        settled = remote("resume", "--json")
        assert settled.code in (0, 10), settled.text
        remote.serving()
