"""`shipway app remove`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, WHERE, Given, epilog, shared


@click.command("remove", epilog=epilog(("shipway app remove", "shipway app remove -y -d staging")))
@shared(*CHANGE, *WHERE, "yes", "json")
def remove(given: Given) -> None:
    """Stop the application and remove its releases; the database, uploaded files and the ledger stay.

    Where only some roles of a host are chosen they are stopped, and the releases stay. A person at a terminal is asked.
    """
    from shipway.app.processes import app_remove

    run_change(given, lambda caller, interruption: app_remove(choice_of(given), caller, interruption), asks=True)
