"""`shipway redeploy`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, Given, verb


@verb("redeploy", *CHANGE, "whole", "by", "json", examples=("shipway redeploy", "shipway redeploy -d staging"))
@click.option("--approve", default="", metavar="FINGERPRINT", help="Let run the migrations that were shown with it.")
@click.option("--maintenance-window", is_flag=True, help="Close the site for migrations that need it.")
@click.option("-P", "--skip-push", is_flag=True, hidden=True)
@click.option("--no-cache", is_flag=True, hidden=True)
def command(given: Given, approve: str, *, maintenance_window: bool, skip_push: bool, no_cache: bool) -> None:
    """For a changed secret or variable: the same code, a new release, and the same way back as after a deploy.

    Nothing is built or pushed. (Kamal's redeploy builds; that is `shipway deploy` here.) Migrations that are still
    pending pass the same gate as in a deploy.
    """
    del skip_push, no_cache  # Kamal's: there is no build to skip
    from shipway.app.deploy import deploy
    from shipway.app.wanted import Wanted

    wanted = Wanted(is_live=True, approve=approve, window=maintenance_window)
    run_change(given, lambda caller, interruption: deploy(choice_of(given), caller, interruption, wanted))
