"""`shipway checklist`."""

from __future__ import annotations

import sys

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, TALK, Given, verb
from shipway.cli.render.answer import say


@verb(
    "checklist",
    *CONNECT,
    *TALK,
    "by",
    "version",
    examples=("shipway checklist", "shipway checklist -d production >release.md"),
)
def command(given: Given) -> None:
    """It is Markdown: the exact commands of the plan of `shipway deploy`, for one shell.

    Every step says what is expected, how it is verified and taken back; every stage, whether one may stop there.

    The hosts are asked what is true now, and nothing is changed: a checklist is good until the next change.
    """
    from shipway.app.by_hand import deploy_by_hand
    from shipway.app.signals import run
    from shipway.planning.render_checklist import render_checklist

    found = run(lambda _: deploy_by_hand(choice_of(given), caller_of(given)), say)
    sys.stdout.write(render_checklist(found))
    sys.stdout.flush()
