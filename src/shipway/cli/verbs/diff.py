"""`shipway diff`."""

from __future__ import annotations

import sys

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import paint_for


@verb("diff", *CONNECT, "json", examples=("shipway diff r41 r42", "shipway diff r41", "shipway diff r41 r42 --json"))
@click.argument("before", metavar="RELEASE")
@click.argument("after", metavar="[RELEASE]", required=False, default="")
def command(given: Given, before: str, after: str) -> None:
    """Compared are commits, packages, migrations, tasks, settings, the names of variables, and the size of the image.

    Without a second release the one that serves is meant. It is told from what each release recorded about itself when
    it was deployed; commits come from the git repository here. No values of variables are read.
    """
    from shipway.app.diff import diff
    from shipway.app.signals import run
    from shipway.cli.render.diff import diff_document, render_diff

    found = run(lambda _: diff(choice_of(given), caller_of(given), before, after), say)
    if given.json:
        print_json(diff_document(found))
    else:
        print_text(render_diff(found, paint_for(sys.stdout)))
