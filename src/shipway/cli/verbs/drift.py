"""`shipway drift`."""

from __future__ import annotations

import sys

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import paint_for
from shipway.core.errors import Exit


@verb(
    "drift",
    *CONNECT,
    "by",
    "json",
    examples=(
        "shipway drift",
        "shipway drift -d production --json",
        "shipway drift -d production --with staging",
        'shipway drift --accept --reason "more workers for the fair"',
    ),
)
@click.option("--with", "other", default="", metavar="DESTINATION", help="Compare with what serves there instead.")
@click.option("--accept", is_flag=True, help="Record the hosts as they are: what differs now is meant.")
@click.option("--reason", default="", metavar="TEXT", help="With --accept: why; the ledger keeps it.")
def command(given: Given, other: str, reason: str, *, accept: bool) -> int:
    """Each host is compared with what stood there when the last run ended well: containers and their images,
    environment files, unit files, the proxy's configuration, code and packages of the release, the crontab, the
    processes, and the migrations in the database. Exit code 4 when something differs, with what mends it. Nothing is
    changed.

    --with compares the release that serves with that of another destination: packages, migrations, settings, names of
    variables.
    """  # noqa: D205  one text for --help
    if other and accept:
        raise click.UsageError("--with and --accept are two things", click.get_current_context())
    from shipway.app.drift import drift, drift_between
    from shipway.app.signals import run
    from shipway.cli.render.drift import drift_document, render_drift

    choice, caller = choice_of(given), caller_of(given)
    if other:
        found = run(lambda _: drift_between(choice, caller, other), say)
    else:
        found = run(lambda _: drift(choice, caller, accept=accept, reason=reason), say)
    if given.json:
        print_json(drift_document(found))
    else:
        print_text(render_drift(found, paint_for(sys.stdout)))
    return int(Exit.REFUSED if found.differs else Exit.OK)
