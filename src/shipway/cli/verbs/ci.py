"""`shipway ci`."""

from __future__ import annotations

import sys
from typing import Literal

import click

from shipway.cli.ask import choice_of
from shipway.cli.group import NearestGroup
from shipway.cli.options import CONFIG, Given, epilog, help_text, shared
from shipway.cli.render.answer import print_json, print_text
from shipway.cli.render.text import paint_for
from shipway.cli.table import VERBS

EXAMPLES = ("shipway ci init github", "shipway ci init gitlab --diff", "shipway ci init forgejo --branch trunk")


@click.group("ci", cls=NearestGroup, help=help_text(VERBS["ci"].help, None), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


@command.command("init", epilog=epilog(EXAMPLES))
@click.argument("provider", type=click.Choice(("github", "gitlab", "forgejo")))
@click.option("--branch", default="main", metavar="NAME", help="The branch that is deployed.")
@click.option("--package", default="", metavar="NAME", help="What pip installs Shipway from; this version by default.")
@click.option("--diff", "is_diff", is_flag=True, help="Show what would be written, and write nothing.")
@shared(*CONFIG, "json")
def init(
    given: Given, provider: Literal["github", "gitlab", "forgejo"], branch: str, package: str, *, is_diff: bool
) -> None:
    """Write a workflow that tests, deploys to staging, verifies, waits for approval and deploys to production.

    Each destination of the configuration is one job; the last one needs an approval. Secrets come from the CI's store,
    under the names that .kamal/secrets reads. A server whose key is not known ends the job.

    A file that exists is never changed: it is kept, and --diff shows what would have been written.
    """
    from shipway.app.ci import propose_ci, write_ci
    from shipway.app.init import init_document
    from shipway.cli.render.init_view import diff_view, files_view, findings_view

    place, proposal = propose_ci(choice_of(given), provider, branch, package)
    if not is_diff:
        write_ci(place, proposal)
    if given.json:
        print_json(init_document(proposal, has_written=not is_diff))
        return
    paint = paint_for(sys.stdout)
    blocks = [diff_view(proposal, paint) if is_diff else files_view(proposal, paint), findings_view(proposal, paint)]
    if proposal.files and not is_diff:
        blocks.append("next  its first lines name the secrets to store; then commit it")
    print_text("\n\n".join(block for block in blocks if block))
