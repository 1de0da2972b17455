"""`shipway app details`, `containers`, `images`, `version` and `stale_containers`."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.change import run_change
from shipway.cli.listing import show_listing
from shipway.cli.options import CHANGE, CONNECT, TALK, WHERE, Given, epilog, shared
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.tables import table
from shipway.cli.render.text import paint_for

_LOOK = (*CONNECT, *WHERE, *TALK, "json")


@click.command("details", epilog=epilog(("shipway app details", "shipway app details --json")))
@shared(*_LOOK)
def details(given: Given) -> None:
    """Show what serves on each host: `shipway status`."""
    from shipway.cli.status import show_status

    show_status(given)


@click.command("containers", epilog=epilog(("shipway app containers -p",)))
@shared(*_LOOK)
def containers(given: Given) -> int:
    """List the containers of the application, stopped ones too."""
    return show_listing(given, "containers")


@click.command("images", epilog=epilog(("shipway app images -p",)))
@shared(*_LOOK)
def images(given: Given) -> int:
    """List the images of the application."""
    return show_listing(given, "images")


@click.command("version", epilog=epilog(("shipway app version", "shipway app version --json")))
@shared(*_LOOK)
def version(given: Given) -> None:
    """Show the version that each process of the application has, on every host."""
    from shipway.app.signals import run
    from shipway.app.status import status

    found = run(lambda _: status(choice_of(given), caller_of(given)), say)
    units = [unit for host in found.hosts for unit in host.units]
    if given.json:
        print_json([asdict(unit) for unit in units])
        return
    rows = [(unit.host, unit.role, unit.release, unit.version) for unit in units]
    print_text(table(("host", "role", "release", "version"), rows, paint_for(sys.stdout)))


@click.command(
    "stale_containers", epilog=epilog(("shipway app stale_containers", "shipway app stale_containers --stop"))
)
@click.option("-s", "--stop", is_flag=True, help="Stop them.")
@shared(*CHANGE, *WHERE, "json")
def stale_containers(given: Given, *, stop: bool) -> None:
    """List what runs and is not of the release that serves, or stop it."""
    from shipway.app.processes import stale, stop_stale
    from shipway.app.signals import run

    if stop:
        run_change(given, lambda caller, interruption: stop_stale(choice_of(given), caller, interruption))
        return
    found = run(lambda _: stale(choice_of(given), caller_of(given)), say)
    if given.json:
        print_json([asdict(unit) for unit in found])
        return
    rows = [(unit.host, unit.role, unit.release, unit.version) for unit in found]
    print_text(table(("host", "role", "release", "version"), rows, paint_for(sys.stdout)))


COMMANDS = (details, containers, images, version, stale_containers)
