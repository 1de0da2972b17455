"""`shipway deploy`."""

from __future__ import annotations

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, Given, verb


@verb(
    "deploy",
    *CHANGE,
    "whole",
    "json",
    examples=("shipway deploy", "shipway deploy -d staging", "shipway deploy --json >deploy.jsonl"),
)
def command(given: Given) -> None:
    """What is deployed is the commit at HEAD; changes that are not committed stay here, and that is said.

    A failure before the new release serves everywhere is taken back on every host, and the old release goes on
    serving (exit code 10). A run that was cut short before is settled first. Nothing is asked: `shipway plan deploy`
    shows what would happen.

    A release goes to all hosts and roles of the configuration, so there is no choice of hosts here: half a release
    could not be rolled back to.

    With --json: an event per line, the report as the last line.
    """
    from shipway.app.deploy import deploy

    run_change(given, lambda caller, interruption: deploy(choice_of(given), caller, interruption))
