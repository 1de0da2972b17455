"""`shipway lock`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.group import NearestGroup
from shipway.cli.options import CONNECT, Given, epilog, help_text, shared
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.table import VERBS

if TYPE_CHECKING:
    from shipway.app.answers import LockView

EXAMPLES = ("shipway lock status", "shipway lock acquire --message 'moving the database'", "shipway lock release")
MORE = "The lock stands on the primary host; every run takes it. While a person holds it nobody can deploy."


@click.group("lock", cls=NearestGroup, help=help_text(VERBS["lock"].help, MORE), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


@command.command("status", epilog=epilog(EXAMPLES[:1]))
@shared(*CONNECT, "json")
def status(given: Given) -> None:
    """Show who holds the lock, since when, from where and for which run."""
    from shipway.app.lock import lock_status
    from shipway.app.signals import run

    _print(given, run(lambda _: lock_status(choice_of(given), caller_of(given)), say))


@command.command("acquire", epilog=epilog(EXAMPLES[1:2]))
@click.option("-m", "--message", required=True, metavar="TEXT", help="Why; whoever is refused reads it.")
@shared(*CONNECT, "json")
def acquire(given: Given, message: str) -> None:
    """Take the lock and keep it, so that nobody deploys until `shipway lock release`."""
    from shipway.app.lock import lock_acquire
    from shipway.app.signals import run

    _print(given, run(lambda _: lock_acquire(choice_of(given), caller_of(given), message), say))


@command.command("release", epilog=epilog((*EXAMPLES[2:], "shipway lock release --stale")))
@click.option("--stale", is_flag=True, help="Also the lock of a run whose owner is gone.")
@shared(*CONNECT, "json")
def release(given: Given, *, stale: bool) -> None:
    """Give back a lock that was taken by hand, whoever took it; the ledger notes it.

    The lock of a run that lives cannot be released: stop the run.
    """
    from shipway.app.lock import lock_release
    from shipway.app.signals import run

    _print(given, run(lambda _: lock_release(choice_of(given), caller_of(given), stale=stale), say))


def _print(given: Given, view: LockView) -> None:
    if given.json:
        print_json(asdict(view))
    else:
        print_text(view.sentence)
