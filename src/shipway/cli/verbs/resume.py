"""`shipway resume`."""

from __future__ import annotations

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CONFIG, TALK, Given, verb


@verb("resume", *CONFIG, *TALK, "json", examples=("shipway resume", "shipway resume -d staging --json"))
def command(given: Given) -> None:
    """A run is cut short when its machine or its network dies.

    What it did is taken back when it had not switched every host yet, and brought to its end otherwise: one release
    serves everywhere afterwards.
    """
    from shipway.app.resume import resume

    run_change(given, lambda caller, interruption: resume(choice_of(given), caller, interruption))
