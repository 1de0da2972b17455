"""`shipway upgrade`: Kamal's verb for going from Kamal 1 to Kamal 2."""

from __future__ import annotations

import click

from shipway.cli.options import CONFIG, Given, verb
from shipway.core.errors import Refused


@verb("upgrade", *CONFIG, "json", examples=("shipway upgrade",))
@click.option("-y", "--confirmed", is_flag=True, hidden=True)
@click.option("--rolling", is_flag=True, hidden=True)
def command(given: Given, *, confirmed: bool, rolling: bool) -> None:
    """There is nothing to upgrade on servers: each deploy brings what it needs."""
    del given, confirmed, rolling
    raise Refused(
        "upgrade.nothing",
        "servers are not upgraded by a verb: every release brings what it needs, and a deploy takes over from Kamal 2",
        next="`shipway plan deploy` shows what a deploy changes; from Kamal 1, run `kamal upgrade` first",
    )
