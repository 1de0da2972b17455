"""`shipway setup`."""

from __future__ import annotations

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CONFIG, TALK, Given, verb


@verb("setup", *CONFIG, *TALK, "json", examples=("shipway setup", "shipway setup -d staging"))
def command(given: Given) -> None:
    """Docker and Python are installed where they are missing (Debian, Ubuntu).

    Accessories are started, and PostgreSQL, Redis and MySQL waited for until they really answer. Then the commit at
    HEAD is deployed, unless it serves already.

    Setup can be called again at any time: what is there is left alone, and a second call says so. A server that was
    added to the configuration is made ready in the same way. Each part is a run of its own: one that fails is taken
    back, and the next call goes on from there.
    """
    from shipway.app.setup import setup

    run_change(given, lambda caller, interruption: setup(choice_of(given), caller, interruption))
