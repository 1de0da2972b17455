"""What visitors lose at a switch, and what at a reload, of a real nginx (`python bench/nginx_reload.py`).

Eight clients with kept connections (half of them POST), four with requests of two seconds, four WebSockets that send
a line every 50 ms. A request is lost when it is not answered with 200, without trying again; it is also said how many
of these were answered when sent once more on a new connection, as browsers do. Needs nginx; writes to /tmp only.
"""

from __future__ import annotations

import argparse
import pathlib
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from tests.contract.proxy.rig import LIMIT_S, Rig, do, rig
from tests.contract.proxy.sites import shop

HELLO = (
    b"GET /ws HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Visitors:
    """Threads that ask until they are told to stop, and what became of it."""

    def __init__(self, host: Rig) -> None:
        self.host, self.over, self.count = host, threading.Event(), Counter[str]()
        kinds: list[tuple[Callable[[int], None], int]] = [(self.kept, 8), (self.slow, 4), (self.socket, 4)]
        self.threads = [threading.Thread(target=kind, args=(n,)) for kind, many in kinds for n in range(many)]

    def kept(self, number: int) -> None:
        """Ask on a connection that is kept."""
        connection = self.host.connect()
        method, body = ("POST", b"x" * 2000) if number % 2 else ("GET", None)
        while not self.over.is_set():
            self.count["kept"] += 1
            for attempt in ("lost", "lost again"):
                try:
                    connection.request(method, "/", body, {"Host": "shop.test"})
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        break
                except OSError:
                    pass
                connection.close()
                self.count[f"kept {attempt}"] += 1
        connection.close()

    def slow(self, _: int) -> None:
        """Ask for what takes two seconds."""
        while not self.over.is_set():
            self.count["slow"] += 1
            try:
                is_good = self.host.get("/slow?2").status == 200
            except OSError:
                is_good = False
            self.count["slow lost"] += not is_good

    def socket(self, _: int) -> None:
        """Send lines through a WebSocket that stays open."""
        with socket.create_connection(("127.0.0.1", self.host.http_port), LIMIT_S) as client:
            client.sendall(HELLO)
            file = client.makefile("rb")
            while file.readline().strip():
                pass
            while not self.over.is_set():
                self.count["lines"] += 1
                try:
                    client.sendall(b"line\n")
                    is_good = file.readline().endswith(b"line\n")
                except OSError:
                    is_good = False
                if not is_good:
                    self.count["sockets cut"] += 1
                    return
                time.sleep(0.05)


def measured(host: Rig, times: int, event: Callable[[int], None]) -> Counter[str]:
    """Return what visitors saw while `event` happened `times` times."""
    visitors = Visitors(host)
    for thread in visitors.threads:
        thread.start()
    time.sleep(1)
    for number in range(times):
        event(number)
        time.sleep(1)
    visitors.over.set()
    for thread in visitors.threads:
        thread.join(LIMIT_S)
    return visitors.count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    times = parser.parse_args().times
    with rig("nginx") as host:
        proxy = host.proxy(shop(host.root))
        do(proxy.host_steps())
        ends = [host.start("shop", f"r{n}") for n in range(2)]
        do(proxy.switch_steps("web", ends[0], ""))

        def switch(number: int) -> None:
            do(proxy.switch_steps("web", ends[(number + 1) % 2], ends[number % 2]))

        def reload(number: int) -> None:
            do(host.proxy(shop(host.root, response_timeout_s=10.0 + number)).host_steps())

        for name, event in (("switch", switch), ("reload", reload)):
            seen = measured(host, times, event)
            lost, again = seen["kept lost"], seen["kept lost"] - seen["kept lost again"]
            print(
                f"{times} x {name}: {seen['kept']} requests on kept connections, {lost} lost ({again} answered when"
                f" sent again); {seen['slow']} of 2 s, {seen['slow lost']} lost;"
                f" 4 WebSockets, {seen['sockets cut']} cut"
            )


if __name__ == "__main__":
    main()
