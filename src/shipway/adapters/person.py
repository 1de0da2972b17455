"""A question to the person at the terminal, asked beside everything else: a lock is to be renewed meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable


async def ask_person(ask: Callable[[str], bool], question: str) -> bool:
    """Return what `ask` answers to `question`. Whoever gives up the question says no.

    When this is cancelled nobody waits for the answer any more: a thread of the loop's own would keep the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bool] = loop.create_future()

    def settle(said: bool) -> None:  # noqa: FBT001  called by the loop
        if not answer.done():
            answer.set_result(said)

    def work() -> None:
        said = False
        with contextlib.suppress(Exception):  # the terminal went away, or Ctrl-D
            said = ask(question)
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, said)

    threading.Thread(target=work, daemon=True).start()
    return await answer
