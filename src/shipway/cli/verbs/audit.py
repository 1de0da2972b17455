"""`shipway audit`."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.answers import render_audit
from shipway.cli.render.text import paint_for


@verb("audit", *CONNECT, "json", examples=("shipway audit", "shipway audit -n 100 --json"))
@click.option("-n", "--lines", type=click.IntRange(1), default=20, show_default=True, help="How many, newest first.")
def command(given: Given, lines: int) -> None:
    """Read from the ledger on the primary host: every run with its author and outcome, and every note."""
    from shipway.app.audit import audit
    from shipway.app.signals import run

    rows = run(lambda _: audit(choice_of(given), caller_of(given), lines), say)
    if given.json:
        print_json([asdict(row) for row in rows])
    else:
        print_text(render_audit(rows, paint_for(sys.stdout)))
