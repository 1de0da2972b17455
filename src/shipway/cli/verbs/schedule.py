"""`shipway schedule`."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.group import NearestGroup
from shipway.cli.options import CONNECT, WHERE, Given, epilog, help_text, shared
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import harmless, is_terminal, paint_for
from shipway.cli.table import VERBS
from shipway.cli.work import show_ran

EXAMPLES = ("shipway schedule list", "shipway schedule run nightly", "shipway schedule logs nightly -n 200")
MORE = """Jobs are commands of manage.py under `schedule:` in the configuration; each comes with a release and runs once
over all hosts, by timers of systemd or by cron. A deploy brings changes, a rollback takes them back."""


@click.group("schedule", cls=NearestGroup, help=help_text(VERBS["schedule"].help, MORE), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


@command.command("list", epilog=epilog(("shipway schedule list", "shipway schedule list --json")))
@shared(*CONNECT, *WHERE, "json")
def list_jobs(given: Given) -> int:
    """Show each job: when it runs next, when it ran last, how that ended and how long it took.

    The exit code is 1 where a job is not in force as the configuration has it.
    """
    from shipway.app.schedule import schedule_rows
    from shipway.app.signals import run
    from shipway.cli.render.schedule import render_schedule

    rows = run(lambda _: schedule_rows(choice_of(given), caller_of(given)), say)
    if given.json:
        print_json([asdict(row) for row in rows])
    else:
        print_text(render_schedule(rows, paint_for(sys.stdout)))
    return 1 if any(row.trouble for row in rows) else 0


@command.command("run", epilog=epilog(("shipway schedule run nightly", "shipway schedule run nightly --json")))
@click.argument("name", metavar="NAME")
@shared(*CONNECT, "hosts", "json")
def run_now(given: Given, name: str) -> int:
    """Run a job now, as its timer would: in the release that serves, in its log, and never twice at once.

    The exit code is that of the command. Ctrl-C leaves, and lets the job go on.
    """
    from shipway.app.schedule import run_job
    from shipway.app.signals import run

    output = _show if not given.json and is_terminal(sys.stdout) else None
    choice = choice_of(given)
    now = f"a job that was begun goes on; `shipway schedule logs {name} -f{choice.options}` follows it"
    found = run(lambda _: run_job(choice, caller_of(given), name, output), say, now)
    if output is None:
        return show_ran(found, is_json=given.json, is_raw=len(found) == 1)
    return next((one.status for one in found if one.status), 0)


@command.command("logs", epilog=epilog(("shipway schedule logs nightly", "shipway schedule logs nightly -f")))
@click.argument("name", metavar="NAME")
@click.option("-n", "--lines", metavar="N", type=click.IntRange(1), default=100, show_default=True, help="How many.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@shared(*CONNECT, "hosts", "json")
def logs(given: Given, name: str, *, lines: int, follow: bool) -> None:
    """Show what a job printed, run after run, with the exit status of each. With --json a line is one object."""
    import json

    from shipway.app.schedule import job_log
    from shipway.app.signals import run

    def write(host: str, text: str) -> None:
        if not given.json:
            _show(text.encode("utf-8", "replace"))
            return
        for line in text.splitlines():
            sys.stdout.write(json.dumps({"host": host, "job": name, "line": line}, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    run(lambda _: job_log(choice_of(given), caller_of(given), name, write, lines=lines, follows=follow), say)


def _show(piece: bytes) -> None:
    sys.stdout.write(harmless(piece.decode("utf-8", "replace")))
    sys.stdout.flush()
