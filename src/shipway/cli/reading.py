"""What `logs`, `app logs` and `proxy logs` share: lines as they come, for a person or as JSON."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import Function, Given
from shipway.cli.render.answer import say
from shipway.cli.render.text import harmless
from shipway.core.errors import Exit, Interrupted

if TYPE_CHECKING:
    from shipway.app.logs import LogLine

LINES = 100
"""How many lines are shown without `-n`, as with Kamal. With `--since` or `--grep` all are looked through."""
_ALL = 1_000_000


def log_options(function: Function) -> Function:
    """Give a command the options of Kamal's `app logs`; `log_values` reads them."""
    options = (
        click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C."),
        click.option("-n", "--lines", type=click.IntRange(0), help=f"Lines of each process; {LINES} by default."),
        click.option(
            "-s", "--since", default="", metavar="TIME", help="Only what is younger: 10m, 2h, a time (docker)."
        ),
        click.option("-g", "--grep", default="", metavar="PATTERN", help="Only lines that have this, found by grep."),
        click.option("--grep-options", default="", metavar="OPTIONS", help="Further options of grep: '-i -C 2'."),
        click.option("-T", "--skip-timestamps", is_flag=True, help="Leave out the time of each line."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def show_logs(
    given: Given, values: dict[str, Any], *, has_times: bool, container: str = "", of_proxy: bool = False
) -> Exit:
    """Show the logs of the application, or `of_proxy`, that the options `values` ask for; return the exit code."""
    from shipway.app.logs import Grep, logs, proxy_logs
    from shipway.app.signals import run
    from shipway.core.logs import LogsAsked

    since, pattern, lines = values["since"], values["grep"], values["lines"]
    grep = Grep(pattern, tuple(_split(values["grep_options"])))
    asked = LogsAsked(
        lines=lines if lines is not None else _ALL if since or pattern else LINES,
        follows=values["follow"],
        since=since,
        has_times=has_times and not values["skip_timestamps"],
        container=container,
    )

    def write(line: LogLine) -> None:
        write_line(given, line)

    try:
        read = proxy_logs if of_proxy else logs
        run(lambda _: read(choice_of(given), caller_of(given), write, asked, grep), say)
    except Interrupted:
        if asked.follows:  # the way in which following ends is no error
            return Exit.INTERRUPTED
        raise
    return Exit.OK


def write_line(given: Given, line: LogLine) -> None:
    """Write one line of a log."""
    if given.json:
        body = {"host": line.host, "role": line.role, "release": line.release, "line": line.text}
        text = json.dumps(body, ensure_ascii=False)
    else:
        text = f"{line.label} | {harmless(line.text)}" if line.label else harmless(line.text)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--grep-options") from None
