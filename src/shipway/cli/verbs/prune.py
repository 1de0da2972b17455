"""`shipway prune`, and Kamal's `prune all`, `containers` and `images`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.group import NearestGroup
from shipway.cli.options import CHANGE, WHERE, Given, epilog, help_text, shared
from shipway.cli.table import VERBS

EXAMPLES = ("shipway plan prune", "shipway prune", "shipway prune -d staging", "shipway prune containers --retain 2")
MORE = """\
What serves, what a rollback would go to and the newest releases stay (`retain_containers`, 5 by default).

A deploy does this too; prune is for a full disk. An image goes with the last release that needs it, so `prune all`,
`prune containers` and `prune images` are the same here.
"""
_OPTIONS = (*CHANGE, *WHERE, "json")


@click.group(
    "prune",
    cls=NearestGroup,
    invoke_without_command=True,
    help=help_text(VERBS["prune"].help, MORE),
    epilog=epilog(EXAMPLES),
)
@shared(*_OPTIONS)
def command(given: Given) -> None:
    """Prune, where no word follows that says so too."""
    if click.get_current_context().invoked_subcommand is None:
        _prune(given)


def _prune(given: Given, retain: int | None = None) -> None:
    from shipway.app.prune import prune

    run_change(given, lambda caller, interruption: prune(choice_of(given), caller, interruption, retain=retain))


@command.command("all", epilog=epilog(("shipway prune all",)))
@shared(*_OPTIONS)
def prune_all(given: Given) -> None:
    """Remove old releases with their containers and images."""
    _prune(given)


@command.command("containers", epilog=epilog(("shipway prune containers --retain 2",)))
@click.option("--retain", type=click.IntRange(1), metavar="N", help="How many releases stay.")
@shared(*_OPTIONS)
def containers(given: Given, retain: int | None) -> None:
    """Remove the containers of old releases."""
    _prune(given, retain)


@command.command("images", epilog=epilog(("shipway prune images",)))
@shared(*_OPTIONS)
def images(given: Given) -> None:
    """Remove images that no kept release needs."""
    _prune(given)
