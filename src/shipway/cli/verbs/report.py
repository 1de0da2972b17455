"""`shipway report`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import paint_for
from shipway.core.errors import ConfigError


@verb(
    "report",
    *CONNECT,
    "json",
    examples=(
        "shipway report",
        "shipway report r42 --html --output r42.html",
        "shipway report 20260301-101500-ab12 --json",
    ),
)
@click.argument("run_id", metavar="RUN", required=False, default="")
@click.option("--html", is_flag=True, help="One page that loads nothing: for a browser, a mail, a printer.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there.")
def command(given: Given, run_id: str, *, html: bool, output: Path | None) -> None:
    """RUN is the id of a run, or a release: its last run is meant. Without it the last run is.

    Told are the steps of each host with their times, migrations, approvals, and what failing commands said, from the
    ledgers of all hosts and the stored plan.
    """
    if html and given.json:
        raise click.UsageError("--html and --json are two answers to one question", click.get_current_context())
    from shipway.app.signals import run
    from shipway.app.story import story

    found = run(lambda _: story(choice_of(given), caller_of(given), run_id), say)
    if given.json:
        print_json(asdict(found))
        return
    if html:
        from shipway.cli.render.report_html import render_report_html

        text = render_report_html(found)
    else:
        from shipway.cli.render.report_text import render_report_text

        text = render_report_text(found, paint_for(sys.stdout)) + "\n"
    if output is None:
        print_text(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            "report.unwritable", f"could not write {output}: {error.strerror}", where=str(output), next="ls -ld ."
        ) from error
    say(f"wrote {output}")
