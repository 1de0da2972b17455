"""`shipway prune`."""

from __future__ import annotations

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, Given, verb


@verb("prune", *CHANGE, "json", examples=("shipway plan prune", "shipway prune", "shipway prune -d staging"))
def command(given: Given) -> None:
    """What serves, what a rollback would go to and the newest releases stay (`retain_containers`, 5 by default).

    A deploy does this too; prune is for a full disk.
    """
    from shipway.app.prune import prune

    run_change(given, lambda caller, interruption: prune(choice_of(given), caller, interruption))
