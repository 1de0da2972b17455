"""The command `shipway` as a user would run it, in a process of its own, with its JSON lines read as events.

A process of its own, so that the demo shows what a user gets, and so that the visitors, who share this process's event
loop, are not delayed by the deploy that they judge.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from shipway.core.errors import Exit
from shipway.core.events import Event, Listener

_LINE_BYTES = 4 * 1024 * 1024
_STOP_LIMIT_S = 20.0
_EVENT_FIELDS = frozenset(f.name for f in fields(Event)) - {"kind"}
_ENDINGS = frozenset(int(code) for code in Exit)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: its exit code, and the fields of its report or of its error."""

    exit: Exit
    report: dict[str, object] = field(default_factory=dict)
    error: dict[str, object] = field(default_factory=dict)


async def run_shipway(words: Sequence[str], directory: Path, listen: Listener) -> Ran:
    """Run `shipway` with `words` and `--json` in `directory`, and tell `listen` its events as they come.

    A cancelled call passes the interruption on, and waits until the command has taken back what it did.
    """
    argv = (sys.executable, "-m", "shipway", *words, "--json")
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_LINE_BYTES,
        start_new_session=True,  # Ctrl-C reaches it once, from us
    )
    last: dict[str, dict[str, object]] = {}
    try:
        async for body in _documents(process):
            if "event" in body:
                listen(_event(body))
            else:
                last = {key: value for key, value in body.items() if isinstance(value, dict)}
        status = await process.wait()
    except asyncio.CancelledError:
        await _stop(process)
        raise
    exit_code = Exit(status) if status in _ENDINGS else Exit.BUG
    return Ran(exit_code, last.get("report", {}), last.get("error", {}))


async def _documents(process: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    if process.stdout is None:
        return
    async for line in process.stdout:
        with suppress(ValueError):
            body = json.loads(line)
            if isinstance(body, dict):
                yield body


def _event(body: dict[str, Any]) -> Event:
    values = {key: value for key, value in body.items() if key in _EVENT_FIELDS}
    return Event(**{"run": "", "at_s": 0.0, "kind": body["event"]} | values)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(_STOP_LIMIT_S):
            while process.stdout is not None and await process.stdout.read(65_536):
                pass
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
