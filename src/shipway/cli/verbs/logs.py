"""`shipway logs`."""

from __future__ import annotations

from typing import Any

from shipway.cli.options import CONNECT, WHERE, Given, verb
from shipway.cli.reading import log_options, show_logs
from shipway.core.errors import Exit


@verb(
    "logs",
    *CONNECT,
    *WHERE,
    "json",
    examples=("shipway logs", "shipway logs -f --roles web", "shipway logs -n 500 --hosts web-1 --grep Traceback"),
)
@log_options
def command(given: Given, **values: Any) -> Exit:
    """Of every release that runs; with more than one process each line begins with its host, role and release.

    With --json a line is one object: host, role, release, line.
    """
    return show_logs(given, values, has_times=False)
