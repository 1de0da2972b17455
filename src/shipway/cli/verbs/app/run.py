"""`shipway app exec` and `shipway app logs`."""

from __future__ import annotations

import re
from typing import Any

import click

from shipway.cli.options import CONNECT, TALK, WHERE, Given, epilog, shared
from shipway.cli.reading import log_options, show_logs
from shipway.cli.work import run_inside, shell_words
from shipway.core.errors import Exit

_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[:=](.*)", re.DOTALL)


def _pairs(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for value in values:
        found = _PAIR.fullmatch(value)
        if found is None:
            raise click.BadParameter(f"`{value}` is not NAME:VALUE")
        pairs.append((found[1], found[2]))
    return tuple(pairs)


@click.command(
    "exec",
    epilog=epilog(
        (
            "shipway app exec 'python manage.py check'",
            "shipway app exec -p -e DEBUG:1 -- python -V",
            "shipway app exec -i --reuse bash",
        )
    ),
    context_settings={"ignore_unknown_options": True},
)
@click.argument("words", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("-i", "--interactive", is_flag=True, help="With this terminal, on the first of the chosen hosts.")
@click.option("--reuse", is_flag=True, help="Where the application runs, not in a container of its own.")
@click.option("-e", "--env", multiple=True, callback=_pairs, metavar="NAME:VALUE", help="A further variable.")
@click.option("--detach", is_flag=True, help="Do not wait for it; its output is not kept.")
@click.option("--raw", is_flag=True, hidden=True)
@shared(*CONNECT, *WHERE, *TALK, "version", "json")
def execute(given: Given, words: tuple[str, ...], **values: Any) -> int:
    """Run COMMAND in the release that serves, in every chosen role of every chosen host.

    Put -- before a COMMAND that has options of its own. A COMMAND that is one word with spaces in it is a line for a
    shell. The verb `exec` runs it on one host. The exit code is the first that is not 0.
    """
    from shipway.app.exec import Inside

    interactive = bool(values["interactive"])
    if interactive and values["detach"]:
        raise click.UsageError("a command cannot be both --interactive and --detach", click.get_current_context())
    how = Inside(
        is_everywhere=not given.primary,
        is_reused=values["reuse"],
        is_detached=values["detach"],
        env=values["env"],
    )
    return run_inside(given, shell_words(words), how, interactive=interactive)


@click.command("logs", epilog=epilog(("shipway app logs -f", "shipway app logs -r web -n 500 -g Traceback")))
@click.option("--container-id", default="", metavar="ID", help="Of this container of the chosen host (docker).")
@log_options
@shared(*CONNECT, *WHERE, *TALK, "json")
def read_logs(given: Given, container_id: str, **values: Any) -> Exit:
    """Show the logs of the application, with the time of each line where the runtime knows it."""
    return show_logs(given, values, has_times=True, container=container_id)
