"""`shipway rollback`."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import paint_for
from shipway.cli.render.ways_back import render_ways_back


@verb(
    "rollback",
    *CHANGE,
    "whole",
    "json",
    "yes",
    examples=("shipway rollback", "shipway rollback r41", "shipway rollback --list", "shipway rollback -y -d staging"),
)
@click.argument("release", required=False, default="")
@click.option("--list", "lists", is_flag=True, help="Say for each kept release whether one may go back.")
@click.option("--force", is_flag=True, help="Go back although the database does not suit the old code.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it goes into the ledger. --force needs one.")
def command(given: Given, release: str, *, lists: bool, force: bool, reason: str) -> None:
    """Without RELEASE it goes to the release that served before.

    The database stays as it is, so the old code must suit it: that is asked first. What may fail is told; where
    ordinary statements would, the rollback is refused (exit code 4, nothing changed) with the migrations in the way.

    A person at a terminal is shown the plan and asked; -y does not ask. `shipway releases` lists what there is.
    """
    from shipway.app.rollback import rollback
    from shipway.app.way_back import Force

    if lists:
        _list(given)
        return
    choice, forced = choice_of(given), Force(force, reason)
    run_change(given, lambda caller, signals: rollback(choice, release, caller, signals, forced), asks=True)


def _list(given: Given) -> None:
    from shipway.app.rollback import list_ways_back
    from shipway.app.signals import run

    rows = run(lambda _: list_ways_back(choice_of(given), caller_of(given)), say)
    if given.json:
        print_json([asdict(row) for row in rows])
    else:
        print_text(render_ways_back(rows, paint_for(sys.stdout)))
