"""`shipway docs`."""

from __future__ import annotations

import click

from shipway.cli.options import Given, verb
from shipway.cli.render.answer import print_text


@verb("docs", examples=("shipway docs", "shipway docs proxy", "shipway docs accessories"))
@click.argument("section", default="")
def command(given: Given, section: str) -> None:
    """SECTION is a key of the configuration; without it the keys are listed."""
    del given
    from shipway.app.docs import documentation

    print_text(documentation(section))
