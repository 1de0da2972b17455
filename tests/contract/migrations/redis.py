"""A Redis server of our own, on a socket in a temporary directory."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.absent import absent


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Give `host:port` of a running server that keeps nothing."""
    program = shutil.which("redis-server")
    if program is None:
        absent("Redis is not installed (on Debian: apt-get install redis-server)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = Path(tempfile.mkdtemp(prefix="shipway-redis-", dir="/tmp"))
    words = (program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(place))
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.05)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            shutil.rmtree(place, ignore_errors=True)
