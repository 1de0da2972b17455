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
@click.option("--from", "source", default="", metavar="DESTINATION", help="The version that serves in DESTINATION.")
@click.option("-P", "--skip-push", is_flag=True, help="Build and push nothing: the image of HEAD is in the registry.")
@click.option("--no-cache", is_flag=True, help="Build without what earlier builds left.")
def command(given: Given, source: str, *, skip_push: bool, no_cache: bool) -> None:
    """What is deployed is the commit at HEAD; changes that are not committed stay here, and that is said.

    With --version or --from it is what was built, and maybe verified, before: nothing is built.

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

    wanted = Wanted(source=source, skips_build=skip_push, no_cache=no_cache)
    run_change(given, lambda caller, interruption: deploy(choice_of(given), caller, interruption, wanted))
