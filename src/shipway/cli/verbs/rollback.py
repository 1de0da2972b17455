"""`shipway rollback`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, Given, verb


@verb(
    "rollback",
    *CHANGE,
    "whole",
    "json",
    "yes",
    examples=("shipway rollback", "shipway rollback r41", "shipway rollback -y -d staging"),
)
@click.argument("release", required=False, default="")
def command(given: Given, release: str) -> None:
    """Without RELEASE it goes to the release that served before. The database stays as it is.

    A person at a terminal is shown the plan and asked; -y does not ask. `shipway releases` lists what there is.
    """
    from shipway.app.rollback import rollback

    run_change(given, lambda caller, interruption: rollback(choice_of(given), release, caller, interruption), asks=True)
