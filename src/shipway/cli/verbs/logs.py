"""`shipway logs`."""

from __future__ import annotations

import json
import sys

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, WHERE, Given, verb
from shipway.cli.render.answer import say
from shipway.cli.render.text import harmless
from shipway.core.errors import Exit, Interrupted


@verb(
    "logs",
    *CONNECT,
    *WHERE,
    "json",
    examples=("shipway logs", "shipway logs -f --roles web", "shipway logs -n 500 --hosts web-1"),
)
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0), default=100, show_default=True, help="Lines of each process.")
def command(given: Given, lines: int, *, follow: bool) -> Exit:
    """Of every release that runs; with more than one process each line begins with its host, role and release.

    With --json a line is one object: host, role, release, line.
    """
    from shipway.app.logs import LogLine, logs
    from shipway.app.signals import run

    def write(line: LogLine) -> None:
        if given.json:
            body = {"host": line.host, "role": line.role, "release": line.release, "line": line.text}
            text = json.dumps(body, ensure_ascii=False)
        else:
            text = f"{line.label} | {harmless(line.text)}" if line.label else harmless(line.text)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    try:
        run(lambda _: logs(choice_of(given), caller_of(given), write, lines=lines, follow=follow), say)
    except Interrupted:
        if follow:  # the way in which following ends is no error
            return Exit.INTERRUPTED
        raise
    return Exit.OK
