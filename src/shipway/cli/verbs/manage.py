"""`shipway manage`."""

from __future__ import annotations

import click

from shipway.cli.options import CONNECT, WHERE, Given, verb
from shipway.cli.work import run_inside


@verb(
    "manage",
    *CONNECT,
    *WHERE,
    "json",
    examples=("shipway manage shell", "shipway manage -d staging createsuperuser", "shipway manage showmigrations"),
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("words", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(given: Given, words: tuple[str, ...]) -> int:
    """As `python manage.py COMMAND`, with the environment of the role.

    On the first host of the role; with --hosts on each of them, one after the other. At a terminal it is interactive.
    The exit code is that of COMMAND.
    """
    from shipway.app.exec import Inside

    return run_inside(given, words, Inside(is_manage=True))
