"""Visitors that keep their connections."""

from __future__ import annotations

import json
import threading
from typing import Self

from tests.contract.proxy.rig import LIMIT_S, Rig


class Load:
    """Clients with kept connections: every answer that is not 200, and every error, is a lost request."""

    def __init__(self, host: Rig, clients: int) -> None:
        self.host, self.over, self.lost, self.seen = host, threading.Event(), [], []
        self.threads = [threading.Thread(target=self.client, args=(n,)) for n in range(clients)]

    def client(self, number: int) -> None:
        connection = self.host.connect()
        while not self.over.is_set():
            try:
                method, body = ("POST", b"x" * 5000) if number % 2 else ("GET", None)
                connection.request(method, "/", body, {"Host": "shop.test"})
                response = connection.getresponse()
                release = json.loads(response.read())["release"]
                self.seen.append(release)
                if response.status != 200:
                    self.lost.append(response.status)
            except (OSError, ValueError) as error:
                self.lost.append(repr(error))
                connection.close()
        connection.close()

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(LIMIT_S)
