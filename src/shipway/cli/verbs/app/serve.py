"""`shipway app boot`, `start`, `stop`, `live` and `maintenance`: whether and how the application serves."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.options import CHANGE, WHERE, Given, epilog, shared


@click.command("boot", epilog=epilog(("shipway app boot", "shipway app boot --version 3f2a9c1")))
@shared(*CHANGE, "whole", "version", "json")
def boot(given: Given) -> None:
    """Release the version that serves once more, or VERSION, with today's configuration and secrets.

    Nothing is built: it is `redeploy`, or `deploy --version VERSION`.
    """
    from shipway.app.deploy import deploy
    from shipway.app.wanted import Wanted

    wanted = Wanted(is_live=not given.version)
    run_change(given, lambda caller, interruption: deploy(choice_of(given), caller, interruption, wanted))


@click.command("start", epilog=epilog(("shipway app start", "shipway app start -h web-2 -r web")))
@shared(*CHANGE, *WHERE, "json")
def start(given: Given) -> None:
    """Start what should run of the release that serves, or served last, and send traffic to it."""
    from shipway.app.processes import app_start

    run_change(given, lambda caller, interruption: app_start(choice_of(given), caller, interruption))


@click.command("stop", epilog=epilog(("shipway app stop", "shipway app stop -r worker")))
@shared(*CHANGE, *WHERE, "json")
def stop(given: Given) -> None:
    """Stop what runs, softly; visitors get an error page until `app start`.

    `app maintenance` shows a page of one's own instead, and leaves the application running.
    """
    from shipway.app.processes import app_stop

    run_change(given, lambda caller, interruption: app_stop(choice_of(given), caller, interruption))


@click.command("live", epilog=epilog(("shipway app live",)))
@shared(*CHANGE, *WHERE, "json")
def live(given: Given) -> None:
    """Show the site again: `shipway maintenance off`."""
    from shipway.app.maintenance import maintenance

    run_change(given, lambda caller, interruption: maintenance(choice_of(given), caller, interruption, on=False))


@click.command("maintenance", epilog=epilog(("shipway app maintenance --message 'Back at ten'",)))
@click.option("--message", default="", metavar="TEXT", help="What visitors read on the page.")
@click.option("--drain-timeout", type=int, hidden=True)
@shared(*CHANGE, *WHERE, "json")
def maintenance_on(given: Given, message: str, drain_timeout: int | None) -> None:
    """Show visitors a maintenance page: `shipway maintenance on`.

    Requests in flight are answered; nothing is stopped, so Kamal's --drain-timeout is accepted and not needed.
    """
    del drain_timeout
    from shipway.app.maintenance import maintenance

    run_change(
        given,
        lambda caller, interruption: maintenance(choice_of(given), caller, interruption, on=True, message=message),
    )


COMMANDS = (boot, start, stop, live, maintenance_on)
