"""`shipway details`."""

from __future__ import annotations

from shipway.cli.options import CONNECT, TALK, WHERE, Given, verb
from shipway.cli.status import show_status


@verb("details", *CONNECT, *WHERE, *TALK, "json", examples=("shipway details", "shipway details -p"))
def command(given: Given) -> None:
    """Kamal's name for `status`: the proxy, the application, and what is kept on each host."""
    show_status(given)
