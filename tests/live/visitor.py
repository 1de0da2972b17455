"""A visitor who keeps asking, and remembers every request that failed."""

from __future__ import annotations

import http.client
import threading
import time
from typing import Self

from tests.live.site import Site


class Visitor:
    """A context manager. `failed` has what went wrong; `asked` how many requests there were."""

    def __init__(self, site: Site) -> None:
        self._site, self._stop = site, threading.Event()
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
        connection = http.client.HTTPConnection("127.0.0.1", self._site.machine.port, timeout=30)
        while not self._stop.wait(0.02):
            self.asked += 1
            try:
                connection.request("GET", "/", headers={"Host": self._site.host})
                answer = connection.getresponse()
                answer.read()
                if answer.status != http.client.OK:
                    self.failed.append(f"{time.strftime('%X')} status {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{time.strftime('%X')} {error!r}")
                connection.close()
        connection.close()
