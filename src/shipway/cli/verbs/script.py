"""`shipway script`."""

from __future__ import annotations

import sys

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, TALK, Given, verb
from shipway.cli.render.answer import say


@verb(
    "script",
    *CONNECT,
    *TALK,
    "by",
    "version",
    examples=("shipway script >release.sh", "shipway script -d production --migrate >release.sh", "sh release.sh"),
)
@click.option("--migrate", is_flag=True, help="You looked at `shipway migrations`: the script runs them unasked.")
def command(given: Given, *, migrate: bool) -> None:
    """The script needs sh, ssh, git or docker; it stops at the first failure and takes back what it did.

    It holds the same lock and writes the same ledger as `shipway deploy`, so each knows of the other.

    Secrets are no part of it: it reads them from environment variables of their names, and refuses to begin when one
    is missing. It shows pending migrations and runs them with MIGRATE=yes.

    The hosts are asked what is true now, and nothing is changed: a script is good until the next change.
    """
    from shipway.app.by_hand import deploy_by_hand
    from shipway.app.signals import run
    from shipway.planning.render_script import render_script

    found = run(lambda _: deploy_by_hand(choice_of(given), caller_of(given), agreed=migrate), say)
    sys.stdout.write(render_script(found))
    sys.stdout.flush()
