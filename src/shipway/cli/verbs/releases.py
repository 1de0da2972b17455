"""`shipway releases`."""

from __future__ import annotations

import sys
from dataclasses import asdict

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.answers import render_releases
from shipway.cli.render.text import paint_for


@verb("releases", *CONNECT, "json", examples=("shipway releases", "shipway releases -d staging --json"))
def command(given: Given) -> None:
    """An arrow marks the release that serves. A release can be rolled back to while every host keeps it."""
    from shipway.app.releases import releases
    from shipway.app.signals import run

    rows = run(lambda _: releases(choice_of(given), caller_of(given)), say)
    if given.json:
        print_json([asdict(row) for row in rows])
    else:
        print_text(render_releases(rows, paint_for(sys.stdout)))
