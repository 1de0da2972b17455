"""Sends messages in the background: each receiver has a thread of its own, and nobody waits for it longer than agreed.

The threads are daemons: one whose receiver never answers is left behind when the process ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from queue import SimpleQueue

Job = Callable[[], None]
MAX_WAITING = 64
_READ_BYTES = 4_096


class NotTold(Exception):
    """A message was not taken; the text says why, and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Post:
    """One request: `headers` and `url` may hold secrets, and are shown nowhere."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 3.0

    def __repr__(self) -> str:
        return "Post(…)"


class Courier:
    """Takes messages to receivers, which are known by name. `close` waits for what is on its way."""

    def __init__(self) -> None:
        self._queues: dict[str, SimpleQueue[Job | None]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._problems: dict[str, str] = {}

    def send(self, name: str, job: Job) -> None:
        """Have `job` done for the receiver `name`, after what was sent to it before. Returns at once, never raises."""
        if name not in self._threads:
            queue = self._queues[name] = SimpleQueue[Job | None]()
            thread = threading.Thread(target=self._work, args=(name, queue), daemon=True, name=f"tell {name}")
            self._threads[name] = thread
            thread.start()
        if self._queues[name].qsize() < MAX_WAITING:
            self._queues[name].put(job)

    def close(self, limit_s: float) -> tuple[str, ...]:
        """Wait until all is told, `limit_s` at most; return a sentence for each receiver that was not."""
        until_s = time.monotonic() + limit_s
        for queue in self._queues.values():
            queue.put(None)
        for name, thread in self._threads.items():
            thread.join(max(0.0, until_s - time.monotonic()))
            if thread.is_alive():
                self._problems[name] = f"no answer in {limit_s:g} s"
        told = ((name, self._problems.get(name, "")) for name in self._threads)
        return tuple(f"{name} could not be told: {why}" for name, why in told if why)

    def _work(self, name: str, queue: SimpleQueue[Job | None]) -> None:
        while (job := queue.get()) is not None:
            try:
                job()
            except NotTold as error:
                self._problems[name] = str(error)
            except Exception as error:  # noqa: BLE001  nothing that a receiver does may reach a deploy
                self._problems[name] = type(error).__name__


def post(request: Post) -> None:
    """Send `request`; raises NotTold where it was not taken. Redirections are not followed."""
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    if not request.url.startswith(("http://", "https://")):
        raise NotTold("its address does not begin with http:// or https://")
    headers = {"Content-Type": "application/json", "User-Agent": "shipway", **request.headers}
    try:
        asked = Request(request.url, data=request.body, headers=headers, method="POST")  # noqa: S310  checked above
        with build_opener(Stay).open(asked, timeout=request.limit_s) as answer:
            answer.read(_READ_BYTES)
    except HTTPError as error:
        with error:
            raise NotTold(f"it answered {error.code}") from None
    except URLError as error:
        reason = error.reason
        raise NotTold(reason if isinstance(reason, str) else _named(reason)) from None
    except (OSError, HTTPException, ValueError) as error:
        raise NotTold(_named(error)) from None


def _named(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or type(error).__name__


def load_apprise() -> None:
    """Load apprise, which takes a second of a processor; where it is not installed that is told with the message."""
    with suppress(ImportError):
        from apprise import Apprise

        Apprise().add("json://localhost")  # loads its services; nothing is sent


def tell_apprise(url: str, title: str, text: str) -> None:
    """Send a message by apprise. Raises NotTold, also where it is not installed."""
    import logging

    logging.getLogger("apprise").disabled = True  # it names addresses, which hold passwords
    try:
        from apprise import Apprise
    except ImportError:
        raise NotTold("apprise is not installed; `pip install 'shipway[notify]'`") from None
    told = Apprise()
    if not told.add(url):
        raise NotTold("apprise does not understand its address")
    if not told.notify(body=text, title=title):
        raise NotTold("apprise could not deliver it")
