"""`shipway deploy`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, Given, verb


@verb(
    "deploy",
    *CHANGE,
    "whole",
    "version",
    "by",
    "json",
    "yes",
    examples=(
        "shipway deploy",
        "shipway deploy -d staging",
        "shipway deploy -d production --from staging",
        "shipway deploy --version 3f2a9c1",
        "shipway deploy --json >deploy.jsonl",
    ),
)
@click.option("--approve", default="", metavar="FINGERPRINT", help="Let run the migrations that were shown with it.")
@click.option("--maintenance-window", is_flag=True, help="Close the site for migrations that need it.")
@click.option("--from", "source", default="", metavar="DESTINATION", help="The version that serves in DESTINATION.")
@click.option("-P", "--skip-push", is_flag=True, help="Build and push nothing: the image of HEAD is in the registry.")
@click.option("--no-cache", is_flag=True, help="Build without what earlier builds left.")
def command(  # noqa: PLR0913  the options of the verb
    given: Given, source: str, approve: str, *, skip_push: bool, no_cache: bool, maintenance_window: bool
) -> None:
    """What is deployed is the commit at HEAD; changes that are not committed stay here, and that is said.

    With --version or --from it is what was built, and maybe verified, before: nothing is built.

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
    if source and given.version:
        raise click.UsageError("--version and --from are two answers to one question", click.get_current_context())
    from shipway.app.deploy import deploy
    from shipway.app.wanted import Wanted

    wanted = Wanted(False, source, skip_push, no_cache, approve, maintenance_window)
    run_change(given, lambda caller, interruption: deploy(choice_of(given), caller, interruption, wanted))
