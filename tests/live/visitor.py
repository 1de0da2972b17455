"""A visitor who keeps asking, and remembers every request that failed."""

from __future__ import annotations

import http.client
import threading
import time
from typing import Self


class Visitor:
    """A context manager. `failed` has what went wrong; `asked` how many requests there were."""

    def __init__(self, host: str, port: int, *, address: str = "127.0.0.1", path: str = "/") -> None:
        self._host, self._path = host, path
        self._connection = http.client.HTTPConnection(address, port, timeout=30)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.asked = 0
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def assert_content(self) -> None:
        assert self.asked > 0
        assert not self.failed, f"{len(self.failed)} of {self.asked} requests failed: {self.failed[:3]}"

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            self.asked += 1
            try:
                self._connection.request("GET", self._path, headers={"Host": self._host})
                answer = self._connection.getresponse()
                answer.read()
                if answer.status != http.client.OK:
                    self.failed.append(f"{time.strftime('%X')} status {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{time.strftime('%X')} {error!r}")
                self._connection.close()
        self._connection.close()
