"""`shipway server`."""

from __future__ import annotations

import click

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.confirm import require_person
from shipway.cli.group import NearestGroup
from shipway.cli.options import CHANGE, CONNECT, Given, epilog, help_text, shared
from shipway.cli.render.answer import say
from shipway.cli.table import VERBS
from shipway.cli.work import show_ran

EXAMPLES = (
    "shipway server bootstrap",
    "shipway server unbootstrap",
    "shipway server exec uptime",
    "shipway server exec --hosts web-1 -i bash",
)
MORE = "All hosts of the configuration, those of accessories too."


@click.group("server", cls=NearestGroup, help=help_text(VERBS["server"].help, MORE), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


@command.command("bootstrap", epilog=epilog(EXAMPLES[:1]))
@shared(*CHANGE, "json")
def bootstrap(given: Given) -> None:
    """Install what the hosts lack: Docker and Python on Debian and Ubuntu, the login in the group of Docker.

    What is there is left alone; `setup` does this first. Needs root, or sudo without a password, only where something
    is missing.
    """
    from shipway.app.bootstrap import bootstrap as make_ready

    run_change(given, lambda caller, interruption: make_ready(choice_of(given), caller, interruption))


@command.command("unbootstrap", epilog=epilog(EXAMPLES[1:2]))
@shared(*CHANGE, "json", "yes")
def unbootstrap(given: Given) -> None:
    """Take back what `bootstrap` and `setup` changed on the hosts themselves, and nothing that was there before.

    Packages that Shipway installed and nothing else needs by now, the login's place in the group of Docker. Logins,
    keys and their rights are never touched; data, the ledger and the images of Docker stay. Refused while a service has
    releases or containers there. The plan is shown before; -y agrees to it where nobody can be asked.
    """
    from shipway.app.bootstrap import unbootstrap as take_back

    require_person(given, "server unbootstrap", "takes back what was installed")
    run_change(given, lambda caller, interruption: take_back(choice_of(given), caller, interruption), asks=True)


@command.command(
    "exec",
    epilog=epilog(EXAMPLES[2:]),
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("-i", "--interactive", is_flag=True, help="With this terminal, on the first host.")
@click.option("--raw", is_flag=True, help="Only what the command prints: for pipes.")
@shared(*CONNECT, "hosts", "json")
@click.argument("words", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(given: Given, words: tuple[str, ...], *, interactive: bool, raw: bool) -> int:
    """Run COMMAND on each host, all at once. One word is a line of shell (`'df -h | head'`), several are a program.

    The exit code is the first one that is not 0.
    """
    from shipway.app.server_exec import server_exec, server_interact
    from shipway.app.signals import run

    choice = choice_of(given)
    if interactive:
        return run(lambda _: server_interact(choice, words), say)
    return show_ran(run(lambda _: server_exec(choice, words), say), is_json=given.json, is_raw=raw)
