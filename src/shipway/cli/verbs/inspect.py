"""`shipway inspect`."""

from __future__ import annotations

import sys

import click

from shipway.cli.options import Given, verb
from shipway.cli.render.answer import print_json, print_text
from shipway.cli.render.inspection import render_inspection
from shipway.cli.render.text import paint_for


@verb("inspect", "verbose", "json", examples=("shipway inspect", "shipway inspect ../shop --json"))
@click.argument("directory", default=".", metavar="[DIRECTORY]")
def command(given: Given, directory: str) -> None:
    """DIRECTORY is the repository; the one you are in by default. None of the project's code is imported or run.

    Every line ends with the place where it was read. -v adds the variables that have a default.
    """
    from shipway.app.inspect import inspect_directory, inspection_document

    found = inspect_directory(directory)
    if given.json:
        print_json(inspection_document(found))
    else:
        print_text(render_inspection(found, paint_for(sys.stdout), is_verbose=given.verbosity > 0))
