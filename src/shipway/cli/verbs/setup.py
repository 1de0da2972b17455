"""`shipway setup`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, Given, verb


@verb("setup", *CHANGE, "by", "json", examples=("shipway setup", "shipway setup -d staging"))
@click.option("-P", "--skip-push", is_flag=True, help="Build and push nothing: the image of HEAD is in the registry.")
@click.option("--no-cache", is_flag=True, help="Build without what earlier builds left.")
def command(given: Given, *, skip_push: bool, no_cache: bool) -> None:
    """Docker and Python are installed where they are missing (Debian, Ubuntu).

    Accessories are started, and PostgreSQL, Redis and MySQL waited for until they really answer. Then the commit at
    HEAD is deployed, unless it serves already.

    Setup can be called again at any time: what is there is left alone, and a second call says so. A server that was
    added to the configuration is made ready in the same way. Each part is a run of its own: one that fails is taken
    back, and the next call goes on from there.
    """
    from shipway.app.setup import setup
    from shipway.app.wanted import Wanted

    wanted = Wanted(skips_build=skip_push, no_cache=no_cache)
    run_change(given, lambda caller, interruption: setup(choice_of(given), caller, interruption, wanted))
