"""`shipway proxy`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.change import run_change
from shipway.cli.group import NearestGroup
from shipway.cli.options import CHANGE, CONNECT, TALK, WHERE, Given, epilog, help_text, shared
from shipway.cli.reading import log_options, show_logs
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.tables import table
from shipway.cli.render.text import paint_for
from shipway.cli.table import VERBS
from shipway.core.errors import Exit

if TYPE_CHECKING:
    from shipway.planning.proxy import ProxyAction

EXAMPLES = ("shipway proxy details", "shipway proxy logs -f", "shipway proxy reboot --rolling")
MORE = """One proxy serves all services of a host: what is done with it is done to all of them. A deploy starts it where
it does not run, so there is seldom a need for these."""
_CHANGES = (*CHANGE, *WHERE, "json")


@click.group("proxy", cls=NearestGroup, help=help_text(VERBS["proxy"].help, MORE), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


def _change(
    given: Given, action: ProxyAction, *, rolling: bool = False, force: bool = False, asks: bool = False
) -> None:
    from shipway.app.proxy import proxy_change

    run_change(
        given,
        lambda caller, interruption: proxy_change(
            choice_of(given), caller, interruption, action, rolling=rolling, force=force
        ),
        asks=asks,
    )


@command.command("boot", epilog=epilog(("shipway proxy boot",)))
@shared(*_CHANGES)
def boot(given: Given) -> None:
    """Make the proxy run with what the configuration says; where it does already, nothing is touched."""
    _change(given, "boot")


@command.command("start", epilog=epilog(("shipway proxy start",)))
@shared(*_CHANGES)
def start(given: Given) -> None:
    """Start the proxy where it was stopped: as `proxy boot`."""
    _change(given, "start")


@command.command("stop", epilog=epilog(("shipway proxy stop -h web-2",)))
@shared(*_CHANGES, "yes")
def stop(given: Given) -> None:
    """Stop the proxy: no service of these hosts can be reached until `proxy start`. A person at a terminal is asked."""
    _change(given, "stop", asks=True)


@command.command("restart", epilog=epilog(("shipway proxy restart",)))
@shared(*_CHANGES, "yes")
def restart(given: Given) -> None:
    """Stop the proxy and start it again, with a pause for every service of the host."""
    _change(given, "restart", asks=True)


@command.command("reboot", epilog=epilog(("shipway proxy reboot --rolling",)))
@click.option("--rolling", is_flag=True, help="One host after the other.")
@shared(*_CHANGES, "yes")
def reboot(given: Given, *, rolling: bool) -> None:
    """Make the proxy anew, with a pause for every service of the host; for a new image of it, say.

    The hooks pre-proxy-reboot and post-proxy-reboot run before and after, with --rolling for each host.
    """
    _change(given, "reboot", rolling=rolling, asks=True)


@command.command("details", epilog=epilog(("shipway proxy details --json",)))
@shared(*CONNECT, *WHERE, *TALK, "json")
def details(given: Given) -> None:
    """Show for each host whether its proxy runs, and what it sends the traffic to."""
    from shipway.app.proxy import proxy_details
    from shipway.app.signals import run

    rows = run(lambda _: proxy_details(choice_of(given), caller_of(given)), say)
    if given.json:
        print_json([asdict(row) for row in rows])
        return
    shown = [
        (
            row.host,
            row.other or ("in maintenance" if row.is_up and row.is_in_maintenance else "up" if row.is_up else "down"),
            row.role,
            row.release,
            row.address,
        )
        for row in rows
    ]
    print_text(table(("host", "proxy", "role", "release", "address"), shown, paint_for(sys.stdout)))


@command.command("logs", epilog=epilog(("shipway proxy logs -f", "shipway proxy logs -n 500 -g error")))
@log_options
@shared(*CONNECT, *WHERE, *TALK, "json")
def logs(given: Given, **values: Any) -> Exit:
    """Show what the proxy itself says."""
    return show_logs(given, values, has_times=True, of_proxy=True)


@command.command("remove", epilog=epilog(("shipway proxy remove", "shipway proxy remove --force")))
@click.option("--force", is_flag=True, help="Although the application is served through it.")
@shared(*_CHANGES, "yes")
def remove(given: Given, *, force: bool) -> None:
    """Take the service out of the proxy, and remove the proxy where no other service is left."""
    _change(given, "remove", force=force, asks=True)
