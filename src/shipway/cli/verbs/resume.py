"""`shipway resume`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, Given, verb


@verb("resume", *CHANGE, "json", examples=("shipway resume", "shipway resume -d staging --json"))
@click.option("--abandon", default="", metavar="WHY", help="Close the run as it is: for a host that is gone for ever.")
@click.option(
    "--unverified", default="", metavar="WHY", help="Bring a held run to its end although its release failed a check."
)
def command(given: Given, abandon: str, unverified: str) -> None:
    """A run is cut short when its machine or its network dies.

    What it did is taken back when it had not switched every host yet, and brought to its end otherwise: one release
    serves everywhere afterwards. A run that held because a check failed is verified again, and goes on when all is
    right.
    """
    from shipway.app import resume

    if abandon and unverified:
        raise click.UsageError(
            "`--abandon` leaves the run as it is and `--unverified` brings it to its end: one of them"
        )

    choice = choice_of(given)
    if abandon:
        run_change(given, lambda caller, interruption: resume.abandon(choice, caller, interruption, abandon))
    else:
        run_change(given, lambda caller, interruption: resume.resume(choice, caller, interruption, unverified))
