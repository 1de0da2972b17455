"""`shipway status`."""

from __future__ import annotations

import sys
from dataclasses import asdict

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, WHERE, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.answers import render_status
from shipway.cli.render.text import paint_for


@verb("status", *CONNECT, *WHERE, "json", examples=("shipway status", "shipway status --hosts 'web-*' --json"))
def command(given: Given) -> None:
    """For each host: what runs, what the proxy sends to, the disk; and the lock, and a run that was cut short."""
    from shipway.app.signals import run
    from shipway.app.status import status

    found = run(lambda _: status(choice_of(given), caller_of(given)), say)
    if given.json:
        print_json(asdict(found))
    else:
        print_text(render_status(found, paint_for(sys.stdout)))
