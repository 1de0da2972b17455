"""`shipway app`: Kamal's verbs about the application. Each calls the use case of the verb of ours that is the same."""

from __future__ import annotations

import click

from shipway.cli.group import NearestGroup
from shipway.cli.options import epilog, help_text
from shipway.cli.table import VERBS
from shipway.cli.verbs.app import look, remove, run, serve

EXAMPLES = (
    "shipway app details",
    "shipway app exec -i --reuse bash",
    "shipway app logs -f",
    "shipway app stop -h web-2",
)
MORE = "As Kamal has it, for its habits and its aliases. --hosts and --roles choose a part, --primary the primary host."


@click.group("app", cls=NearestGroup, help=help_text(VERBS["app"].help, MORE), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


for part in (*serve.COMMANDS, run.execute, run.read_logs, *look.COMMANDS, remove.remove):
    command.add_command(part)
