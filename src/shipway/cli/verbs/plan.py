"""`shipway plan`."""

from __future__ import annotations

import sys

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, TALK, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.plan_view import here_view, plan_document, plan_view
from shipway.cli.render.text import paint_for


@verb(
    "plan",
    *CONNECT,
    *TALK,
    "version",
    "json",
    examples=(
        "shipway plan deploy",
        "shipway plan deploy -v",
        "shipway plan rollback r41",
        "shipway plan prune --json",
        "shipway plan deploy -d production --from staging",
    ),
)
@click.argument("what", metavar="VERB", type=click.Choice(["deploy", "redeploy", "rollback", "prune"]))
@click.argument("release", required=False, default="")
@click.option("--from", "source", default="", metavar="DESTINATION", help="The version that serves in DESTINATION.")
def command(given: Given, what: str, release: str, source: str) -> None:
    """VERB is deploy, redeploy, rollback or prune; RELEASE is for rollback, --version and --from are for deploy.

    The hosts are asked what is true already, and nothing is changed. -v adds the exact commands.
    """
    if (source or given.version) and what != "deploy":
        raise click.UsageError(f"`plan {what}` takes no --version and no --from", click.get_current_context())
    if release and what != "rollback":
        raise click.UsageError(f"`plan {what}` takes no release", click.get_current_context())
    from shipway.app.plan import preview
    from shipway.app.signals import run
    from shipway.app.wanted import Wanted

    wanted = Wanted(source=source)
    found = run(lambda _: preview(choice_of(given), what, release, caller_of(given), wanted), say)
    if given.json:
        print_json(plan_document(found))
    else:
        paint, verbose = paint_for(sys.stdout), given.verbosity > 0
        first = here_view(found.here, paint, verbose=verbose)
        print_text(first + plan_view(found.plan, found.true_already, paint, verbose=verbose))
