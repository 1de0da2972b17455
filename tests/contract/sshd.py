"""A real sshd on a free port of the loopback interface, with keys, configuration and known_hosts of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:" + os.environ.get("PATH", ""))
KEYGEN = shutil.which("ssh-keygen")

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {directory}/host_key
PidFile none
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel QUIET
MaxStartups 100
{extra}
"""
_CLIENT = """\
Host *
  UserKnownHostsFile {directory}/known_hosts
  GlobalKnownHostsFile none
  IdentityFile {key}
  IdentitiesOnly yes
  IdentityAgent none
"""


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running server. `config` is a client configuration that knows its host key and has a key that it accepts."""

    directory: Path
    port: int
    user: str
    pid: int

    @property
    def config(self) -> str:
        return str(self.directory / "client_config")

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def key(self) -> Path:
        return self.directory / "user_key"

    def children(self) -> list[int]:
        """The server's processes for connections."""
        found = subprocess.run(("ps", "-o", "pid=", "--ppid", str(self.pid)), capture_output=True, check=False)
        return [int(word) for word in found.stdout.split()]


def keygen(path: Path) -> str:
    """Make a key pair and return the public key."""
    assert KEYGEN is not None
    subprocess.run((KEYGEN, "-q", "-t", "ed25519", "-N", "", "-f", path), check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def run_sshd(*extra: str) -> Iterator[Sshd]:
    """Run a server with further lines of configuration until the block ends."""
    assert SSHD is not None
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # privilege separation, as the package's unit makes it
    with tempfile.TemporaryDirectory(prefix="sshd-") as name:
        directory, port = Path(name), free_port()
        host_key = keygen(directory / "host_key")
        (directory / "authorized_keys").write_text(keygen(directory / "user_key") + "\n")
        (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
        (directory / "client_config").write_text(_CLIENT.format(directory=directory, key=directory / "user_key"))
        (directory / "sshd_config").write_text(_CONFIG.format(directory=directory, port=port, extra="\n".join(extra)))
        process = subprocess.Popen((SSHD, "-D", "-e", "-f", directory / "sshd_config"), stdin=subprocess.DEVNULL)
        try:
            _wait_for(port, process)
            yield Sshd(directory, port, pwd.getpwuid(os.geteuid()).pw_name, process.pid)
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "sshd did not start"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError("sshd does not listen")
