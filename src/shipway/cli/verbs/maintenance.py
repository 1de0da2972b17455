"""`shipway maintenance`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, WHERE, Given, verb


@verb(
    "maintenance",
    *CHANGE,
    *WHERE,
    "json",
    examples=("shipway maintenance on --message 'Back at ten'", "shipway maintenance off"),
)
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--message", default="", metavar="TEXT", help="What visitors read on the page.")
def command(given: Given, state: str, message: str) -> None:
    """The page is served by the proxy; the application goes on running behind it."""
    from shipway.app.maintenance import maintenance

    run_change(
        given,
        lambda caller, interruption: maintenance(
            choice_of(given), caller, interruption, on=state == "on", message=message
        ),
    )
