"""`shipway exec`."""

from __future__ import annotations

import click

from shipway.cli.options import CONNECT, WHERE, Given, verb
from shipway.cli.work import run_inside, shell_words


@verb(
    "exec",
    *CONNECT,
    *WHERE,
    "json",
    examples=("shipway exec -- python -V", "shipway exec --roles worker -- env", "shipway exec -- ls -la"),
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("words", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(given: Given, words: tuple[str, ...]) -> int:
    """COMMAND runs in the project's directory, with the environment of the role.

    On the first host of the role; with --hosts on each of them, one after the other. At a terminal it is interactive.
    The exit code is that of COMMAND. A COMMAND that is one word with spaces in it is a line for a shell, which the
    release must have.
    """
    from shipway.app.exec import Inside

    return run_inside(given, shell_words(words), Inside())
