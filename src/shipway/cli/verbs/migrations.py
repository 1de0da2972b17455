"""`shipway migrations`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.group import NearestGroup
from shipway.cli.options import CONNECT, Function, Given, epilog, help_text, shared
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import paint_for
from shipway.cli.table import VERBS
from shipway.core.errors import Exit

_RELEASE = re.compile(r"r\d+")


EXAMPLES = (
    "shipway migrations",
    "shipway migrations --base origin/main --fail-on dangerous --json",
    "shipway migrations rehearse --base origin/main",
)
MORE = """\
Works on the project in this directory, before there is any server. Without --base the old code is what matches the
database; without a database each migration is judged against the code just before it.

`rehearse` plays old and new code in a scratch database: a second opinion.
"""
REHEARSE = """\
Play old and new code in a scratch database, and tell what really fails.

A database of its own is made beside the project's, with its schema, and removed in any case. There the old release
makes and uses rows, the new one migrates and uses what that leaves, and the old one tries again. The project's own
database is only read. Needs a user that may create databases; on SQLite a file is copied.
"""


def _asked(function: Function) -> Function:
    for option in (
        click.option(
            "--fail-on",
            type=click.Choice(["never", "dangerous", "care"]),
            default="never",
            show_default=True,
            help="Exit 4 for what breaks old code, bars the way back or destroys; `care`: for all that is not safe.",
        ),
        click.option("--python", default="", metavar="PATH", help="The project's Python; found in its virtualenv."),
        click.option(
            "--base", default="", metavar="REF", help="The code that serves: a release, commit, branch or manifest."
        ),
    ):
        function = option(function)
    return function


@click.group(
    "migrations",
    cls=NearestGroup,
    invoke_without_command=True,
    help=help_text(VERBS["migrations"].help, MORE),
    epilog=epilog(EXAMPLES),
)
@click.option("--no-database", is_flag=True, help="Ask no database: judge the files alone.")
@_asked
@shared(*CONNECT, "json")
def command(given: Given, *, base: str, python: str, no_database: bool, fail_on: str) -> int:
    """Judge, where no word follows that asks for more."""
    if click.get_current_context().invoked_subcommand is not None:
        return int(Exit.OK)
    from shipway.app.migrations import Asked, judge_project
    from shipway.cli.render.migrations import document, is_bad, render_migrations

    answer = judge_project(Asked(Path.cwd(), python, base, not no_database), _version_of(given))
    if given.json:
        print_json(document(answer))
    else:
        print_text(render_migrations(answer, paint_for(sys.stdout)))
    return int(Exit.REFUSED) if is_bad(answer, fail_on) else int(Exit.OK)


@command.command("rehearse", help=REHEARSE, epilog=epilog(EXAMPLES[2:]))
@click.option("--rows", type=click.IntRange(0), default=0, metavar="N", help="Copy up to N rows of each table too.")
@click.option("--fresh", is_flag=True, help="Begin empty: the old release's own migrations make the schema.")
@click.option("--base-python", default="", metavar="PATH", help="The Python of the old code, where it is another.")
@_asked
@shared(*CONNECT, "json")
def rehearse(given: Given, *, rows: int, fresh: bool, base_python: str, **asked: str) -> int:
    """Rehearse what is pending."""
    from shipway.app.migrations import Asked
    from shipway.app.rehearse import Wanted, rehearse_project
    from shipway.cli.render.rehearsal import document, is_bad, render_rehearsal

    wanted = Wanted(rows, fresh, base_python)
    question = Asked(Path.cwd(), asked["python"], asked["base"])
    answer = rehearse_project(question, wanted, _version_of(given), (lambda _: None) if given.json else say)
    if given.json:
        print_json(document(answer))
    else:
        print_text(render_rehearsal(answer, paint_for(sys.stdout)))
    return int(Exit.REFUSED) if is_bad(answer, asked["fail_on"]) else int(Exit.OK)


def _version_of(given: Given) -> Callable[[str], str]:
    """Return what knows the commit of a release on the servers."""

    def version_of(release: str) -> str:
        if not _RELEASE.fullmatch(release):
            return ""
        from shipway.app.releases import releases
        from shipway.app.signals import run

        rows = run(lambda _: releases(choice_of(given), caller_of(given)), say)
        return next((row.version for row in rows if row.release == release), "")

    return version_of
