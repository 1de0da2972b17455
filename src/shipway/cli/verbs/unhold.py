"""`shipway unhold`."""

from __future__ import annotations

from dataclasses import asdict

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import harmless


@verb("unhold", *CONNECT, "by", "json", examples=("shipway unhold -d production",))
@click.option("--reason", default="", metavar="TEXT", help="Why; the ledger keeps it.")
def command(given: Given, reason: str) -> None:
    """Ends a `shipway hold`, whoever began it; the ledger notes who ended it."""
    from shipway.app.consent import unhold
    from shipway.app.signals import run

    found = run(lambda _: unhold(choice_of(given), caller_of(given), reason), say)
    if given.json:
        print_json(asdict(found))
    else:
        print_text(harmless(found.sentence))
