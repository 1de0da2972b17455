"""`shipway deploy`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CONFIG, TALK, Given, verb


@verb(
    "deploy",
    *CONFIG,
    *TALK,
    "json",
    "yes",
    examples=("shipway deploy", "shipway deploy -d staging", "shipway deploy --json >deploy.jsonl"),
)
@click.option("--approve", default="", metavar="FINGERPRINT", help="Let run the migrations that were shown with it.")
@click.option("--maintenance-window", is_flag=True, help="Close the site for migrations that need it.")
def command(given: Given, approve: str, *, maintenance_window: bool) -> None:
    """What is deployed is the commit at HEAD; changes that are not committed stay here, and that is said.

    The new release is put on the hosts and asked about its migrations. What the old code survives runs before the
    switch, what only the new one survives when the old one is gone. What needs a person's approval, or cannot run,
    ends the deploy with exit code 4 and nothing changed; the message has the command that approves, or the recipe.
    With --maintenance-window migrations that no two releases can share run while the maintenance page is shown.

    A failure before the new release serves everywhere is taken back on every host, and the old release goes on
    serving (exit code 10). A run that was cut short before is settled first. Nothing is asked: `shipway plan deploy`
    shows what would happen. Only a deploy that takes a host over from Kamal shows its plan and asks; without a
    terminal it needs --yes.

    A release goes to all hosts and roles of the configuration, so there is no choice of hosts here: half a release
    could not be rolled back to.

    With --json: an event per line, the report as the last line.
    """
    from shipway.app.deploy import Allowed, deploy

    allowed = Allowed(approve, maintenance_window)
    run_change(given, lambda caller, interruption: deploy(choice_of(given), caller, interruption, allowed))
