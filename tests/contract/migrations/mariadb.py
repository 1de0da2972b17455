"""A MariaDB server of our own, on a socket in a temporary directory."""

import contextlib
import getpass
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.absent import absent

PATH = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"


@contextlib.contextmanager
def mariadb() -> Iterator[str]:
    """Give the path of the socket of a running server; we are its root, without a password."""
    server, install = shutil.which("mariadbd", path=PATH), shutil.which("mariadb-install-db", path=PATH)
    if server is None or install is None:
        absent("MariaDB is not installed (on Debian: apt-get install mariadb-server-core)")
    place = Path(tempfile.mkdtemp(prefix="shipway-my-", dir="/tmp"))
    user = f"--user={getpass.getuser()}"
    try:
        make = (install, "--no-defaults", f"--datadir={place}/data", "--auth-root-authentication-method=normal", user)
        subprocess.run(make, check=True, capture_output=True, timeout=120)
        socket = place / "socket"
        options = ("--no-defaults", f"--datadir={place}/data", f"--socket={socket}", "--skip-networking", user)
        with subprocess.Popen((server, *options), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                for _ in range(300):
                    if socket.exists():
                        break
                    time.sleep(0.1)
                assert socket.exists(), "MariaDB did not start in 30 s"
                yield str(socket)
            finally:
                process.kill()
    finally:
        shutil.rmtree(place, ignore_errors=True)
