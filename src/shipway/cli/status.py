"""What `status`, `details` and `app details` share."""

from __future__ import annotations

import sys
from dataclasses import asdict

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import Given
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.answers import render_status
from shipway.cli.render.text import paint_for


def show_status(given: Given) -> None:
    """Show what serves on each chosen host."""
    from shipway.app.signals import run
    from shipway.app.status import status

    found = run(lambda _: status(choice_of(given), caller_of(given)), say)
    if given.json:
        print_json(asdict(found))
    else:
        print_text(render_status(found, paint_for(sys.stdout)))
