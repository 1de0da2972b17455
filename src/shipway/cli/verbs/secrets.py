"""`shipway secrets`: options as Kamal's."""

from __future__ import annotations

import click

from shipway.cli.group import NearestGroup
from shipway.cli.options import epilog, help_text
from shipway.cli.table import VERBS

EXAMPLES = (
    "shipway secrets fetch --adapter 1password --account mine --from Vault/Item KEY OTHER",
    'shipway secrets extract KEY "$SECRETS"',
    "shipway secrets print -d staging",
)


@click.group("secrets", cls=NearestGroup, help=help_text(VERBS["secrets"].help, None), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


@command.command("fetch", epilog=epilog(EXAMPLES[0:1]))
@click.option("-a", "--adapter", required=True, metavar="NAME", help="The password manager: 1password, gcp, …")
@click.option("--account", default="", metavar="NAME", help="Who asks: an account, user or profile.")
@click.option("--from", "source", default="", metavar="PLACE", help="The vault, folder or project of the names.")
@click.option("--inline", is_flag=True, hidden=True)
@click.argument("names", nargs=-1, metavar="[NAME]...")
def fetch(adapter: str, account: str, source: str, names: tuple[str, ...], *, inline: bool) -> None:
    """Fetch NAMEs from a password manager and print them as JSON."""
    from shipway.adapters.secrets.managers.base import Wanted
    from shipway.app.secrets import fetch_secrets, programs_here

    click.echo(fetch_secrets(adapter, Wanted(names, account, source), programs_here(), inline=inline))


@command.command("extract", epilog=epilog(EXAMPLES[1:2]))
@click.option("--inline", is_flag=True, hidden=True)
@click.argument("name")
@click.argument("json")
def extract(name: str, json: str, *, inline: bool) -> None:
    """Print the secret NAME of the JSON that `fetch` printed."""
    del inline  # Kamal's flag: the answer is the same
    from shipway.app.secrets import extract_secret

    click.echo(extract_secret(name, json))


@command.command("print", epilog=epilog(EXAMPLES[2:3]))
@click.option("-d", "--destination", default="", metavar="NAME", help="Print those of a destination.")
@click.option("--path", default=".kamal/secrets", show_default=True, help="The file; `secrets_path` of the config.")
def print_all(destination: str, path: str) -> None:
    """Print every secret of the project, values included."""
    from shipway.app.secrets import load_secrets, programs_here, shown_secrets

    secrets = load_secrets(programs_here(), path, destination)
    for finding in secrets.findings():
        click.echo(f"{finding.level}[{finding.code}]: {finding.what} ({finding.where}; {finding.next})", err=True)
    for line in shown_secrets(secrets):
        click.echo(line)
