"""`shipway approve`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import harmless

if TYPE_CHECKING:
    from shipway.app.consent import Standing


@verb(
    "approve",
    *CONNECT,
    "by",
    "json",
    examples=(
        'shipway approve 20260301-101500-ab12 -d production --reason "reviewed with Bo"',
        'shipway approve 3f2a9c1d77aa -d production --reason "ticket 4711" --by ann@example.org',
    ),
)
@click.argument("what", metavar="RUN|FINGERPRINT")
@click.option("--reason", default="", metavar="TEXT", help="Why; the ledger keeps it.")
def command(given: Given, what: str, reason: str) -> None:
    """A deploy that lacks an approval ends with exit code 4 and says which command approves it; `shipway plan deploy`
    shows the fingerprint beforehand. An approval is for exactly that: another commit, another configuration or another
    release that serves has another fingerprint. `release.approvals` says how many people other than the one who deploys
    must agree. Without it an approval stands for `deploy --approve`.

    The ledger on the primary host keeps who, when and why. A name is what somebody says: it helps people who trust each
    other, and does not keep anybody out who may write to the servers.
    """  # noqa: D205  one text for --help
    from shipway.app.consent import approve
    from shipway.app.signals import run

    found = run(lambda _: approve(choice_of(given), caller_of(given), what, reason), say)
    if given.json:
        print_json(asdict(found))
    else:
        print_text(_sentence(found))


def _sentence(found: Standing) -> str:
    about = f" ({found.what})" if found.what else ": nothing asked for it yet, it counts when something does"
    done = "approved" if found.is_new else "had approved already"
    count = f"; {len(found.people)} of {found.needed}: {', '.join(found.people)}" if found.needed else ""
    return harmless(f"{found.by} ({found.source}) {done} {found.fingerprint}{about}{count}")
