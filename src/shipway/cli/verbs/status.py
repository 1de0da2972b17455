"""`shipway status`."""

from __future__ import annotations

from shipway.cli.options import CONNECT, WHERE, Given, verb
from shipway.cli.status import show_status


@verb("status", *CONNECT, *WHERE, "json", examples=("shipway status", "shipway status --hosts 'web-*' --json"))
def command(given: Given) -> None:
    """For each host: what runs, what the proxy sends to, the disk; and the lock, and a run that was cut short."""
    show_status(given)
