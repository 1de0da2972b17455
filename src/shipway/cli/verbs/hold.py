"""`shipway hold`."""

from __future__ import annotations

from dataclasses import asdict

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import harmless


@verb("hold", *CONNECT, "by", "json", examples=('shipway hold -d production --reason "the fair is on until Sunday"',))
@click.option("--reason", default="", metavar="TEXT", help="Why; whoever is refused reads it.")
def command(given: Given, reason: str) -> None:
    """Nobody can deploy to the destination until `shipway unhold`: a deploy ends with exit code 4 and the reason.

    A rollback works all the same, and says that the destination is held.
    """
    from shipway.app.consent import hold
    from shipway.app.signals import run

    found = run(lambda _: hold(choice_of(given), caller_of(given), reason), say)
    if given.json:
        print_json(asdict(found))
    else:
        print_text(harmless(found.sentence))
