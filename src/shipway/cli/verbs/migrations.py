"""`shipway migrations`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import paint_for
from shipway.core.errors import Exit

_RELEASE = re.compile(r"r\d+")


@verb(
    "migrations",
    *CONNECT,
    "json",
    examples=("shipway migrations", "shipway migrations --base origin/main --fail-on dangerous --json"),
)
@click.option("--base", default="", metavar="REF", help="The code that serves: a release, commit, branch or manifest.")
@click.option("--python", default="", metavar="PATH", help="The project's Python; found in its virtualenv by default.")
@click.option("--no-database", is_flag=True, help="Ask no database: judge the files alone.")
@click.option(
    "--fail-on",
    type=click.Choice(["never", "dangerous", "care"]),
    default="never",
    show_default=True,
    help="Exit 4 for what breaks old code, bars the way back or destroys; `care`: for all that is not safe.",
)
def command(given: Given, *, base: str, python: str, no_database: bool, fail_on: str) -> int:
    """For each pending migration: does the old code survive it, may code go back afterwards, what is locked.

    Works on the project in this directory, before there is any server. Without --base the old code is what matches
    the database; without a database each migration is judged against the code just before it.
    """
    from shipway.app.migrations import Asked, judge_project
    from shipway.cli.render.migrations import document, is_bad, render_migrations

    def version_of(release: str) -> str:
        if not _RELEASE.fullmatch(release):
            return ""
        from shipway.app.releases import releases
        from shipway.app.signals import run

        rows = run(lambda _: releases(choice_of(given), caller_of(given)), say)
        return next((row.version for row in rows if row.release == release), "")

    answer = judge_project(Asked(Path.cwd(), python, base, not no_database), version_of)
    if given.json:
        print_json(document(answer))
    else:
        print_text(render_migrations(answer, paint_for(sys.stdout)))
    return int(Exit.REFUSED) if is_bad(answer, fail_on) else int(Exit.OK)
