"""`shipway accessory`."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.change import run_change
from shipway.cli.confirm import require_typed
from shipway.cli.group import NearestGroup
from shipway.cli.options import CHANGE, CONNECT, Given, epilog, help_text, shared
from shipway.cli.render.accessories import render_accessories
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import harmless, paint_for
from shipway.cli.table import VERBS
from shipway.cli.work import show_ran
from shipway.core.errors import Exit, Interrupted, UsageError

if TYPE_CHECKING:
    from shipway.planning.accessories import Action

EXAMPLES = (
    "shipway accessory details all",
    "shipway accessory boot db",
    "shipway accessory reboot db",
    "shipway accessory logs redis -f",
    "shipway accessory exec db --reuse -- psql -U shop",
    "shipway accessory remove cache",
)
MORE = """By their names in `accessories:`; `all` means each of them. A deploy never touches one: what differs from the
configuration is told by `details` and `setup`, and changed by `reboot`."""
_CHANGES = (*CHANGE, "hosts", "json")
_NAME = click.argument("name", metavar="NAME|all")


@click.group("accessory", cls=NearestGroup, help=help_text(VERBS["accessory"].help, MORE), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


def _change(given: Given, name: str, action: Action, *, asks: bool = False, is_rolling: bool = False) -> None:
    from shipway.app.accessory import change_accessories
    from shipway.planning.accessories import Wanted

    wanted = Wanted(action, (), is_rolling)
    run_change(
        given,
        lambda caller, interruption: change_accessories(choice_of(given), caller, interruption, name, wanted),
        asks=asks,
    )


@command.command("boot", epilog=epilog(EXAMPLES[1:2]))
@_NAME
@shared(*_CHANGES)
def boot(given: Given, name: str) -> None:
    """Start it where it does not run, and wait until it answers. What runs is left as it is."""
    _change(given, name, "boot")


@command.command("reboot", epilog=epilog(EXAMPLES[2:3]))
@_NAME
@click.option("--rolling", is_flag=True, help="One host after the other.")
@shared(*_CHANGES, "yes")
def reboot(given: Given, name: str, *, rolling: bool) -> None:
    """Pull its image and start it anew with today's configuration and secrets. It is away for that moment.

    The old container stands aside until the new one answers, and comes back when that does not. Its data is that of
    its directories and volumes. At a terminal the plan is shown and confirmed.
    """
    _change(given, name, "reboot", asks=True, is_rolling=rolling)


@command.command("start", epilog=epilog(("shipway accessory start redis",)))
@_NAME
@shared(*_CHANGES)
def start(given: Given, name: str) -> None:
    """Start a container that was stopped, and wait until it answers."""
    _change(given, name, "start")


@command.command("stop", epilog=epilog(("shipway accessory stop redis",)))
@_NAME
@shared(*_CHANGES, "yes")
def stop(given: Given, name: str) -> None:
    """Stop it, and keep its container and its data."""
    _change(given, name, "stop", asks=True)


@command.command("restart", epilog=epilog(("shipway accessory restart redis",)))
@_NAME
@shared(*_CHANGES, "yes")
def restart(given: Given, name: str) -> None:
    """Stop its container and start the same one again; the configuration of today counts with `reboot` only."""
    _change(given, name, "restart", asks=True)


@command.command("upgrade", epilog=epilog(("shipway accessory upgrade all --rolling",)))
@_NAME
@click.option("--rolling", is_flag=True, help="One host after the other.")
@shared(*_CHANGES, "yes")
def upgrade(given: Given, name: str, *, rolling: bool) -> None:
    """Start anew what is not in the Docker network of the configuration: containers of Kamal 1."""
    _change(given, name, "upgrade", asks=True, is_rolling=rolling)


@command.command("remove", epilog=epilog(EXAMPLES[5:]))
@_NAME
@shared(*_CHANGES, "yes")
def remove(given: Given, name: str) -> None:
    """Remove its container, its image and its directory on the host, WITH ALL DATA in it.

    Asks for the name to be typed; with -y, and only so where nobody can be asked, it does not. Named volumes and
    directories with an absolute path stay.
    """
    words = f"accessory remove {name}{choice_of(given).options}"
    require_typed(given, name, words, f"deletes {name} with all its data")
    _change(given, name, "remove")


@command.command("details", epilog=epilog(EXAMPLES[:1]))
@click.argument("name", metavar="[NAME|all]", default="all")
@shared(*CONNECT, "hosts", "json")
def details(given: Given, name: str) -> None:
    """Show for each what runs, since when, and in what it differs from the configuration."""
    from shipway.app.accessory import details as look
    from shipway.app.signals import run

    rows = run(lambda _: look(choice_of(given), caller_of(given), name), say)
    if given.json:
        print_json([asdict(row) for row in rows])
    else:
        print_text(render_accessories(rows, paint_for(sys.stdout)))


@command.command(
    "exec",
    epilog=epilog(EXAMPLES[4:5]),
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("-i", "--interactive", is_flag=True, help="With this terminal, on the first host.")
@click.option("--reuse", is_flag=True, help="In the container that runs, not in a new one.")
@click.option("--raw", is_flag=True, help="Only what the command prints: for pipes.")
@shared(*CONNECT, "hosts", "json")
@click.argument("name", metavar="NAME")
@click.argument("words", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(given: Given, name: str, words: tuple[str, ...], **flags: Any) -> int:
    """Run COMMAND in a new container of the accessory's image, with its environment and data.

    With --reuse in the one that runs. On each of its hosts. One word is split as a shell does it, as with Kamal. The
    exit code is that of COMMAND.
    """
    from shipway.app.accessory_inside import interact_in_accessory, run_in_accessory
    from shipway.app.signals import run

    words, how = _own_flags(words, flags)
    choice, caller, reuse = choice_of(given), caller_of(given), bool(how["reuse"])
    if how["interactive"]:
        return run(lambda _: interact_in_accessory(choice, caller, name, words, reuse=reuse), say)
    found = run(lambda _: run_in_accessory(choice, caller, name, words, reuse=reuse), say)
    return show_ran(found, is_json=given.json, is_raw=bool(how["raw"]))


def _own_flags(words: tuple[str, ...], flags: dict[str, bool]) -> tuple[tuple[str, ...], dict[str, bool]]:
    """Return the command, and its flags with those that stand between the name and the command."""
    names = {"-i": "interactive", "--interactive": "interactive", "--reuse": "reuse", "--raw": "raw"}
    found, rest = dict(flags), list(words)
    while rest and rest[0] in names:
        found[names[rest.pop(0)]] = True
    if rest[:1] == ["--"]:
        rest.pop(0)
    if not rest:
        raise UsageError("usage.wrong", "there is no command to run", next="`shipway accessory exec --help`")
    return tuple(shlex.split(rest[0]) if len(rest) == 1 else rest), found


@command.command("logs", epilog=epilog(EXAMPLES[3:4]))
@click.option("-n", "--lines", type=click.IntRange(0), help="The last lines of each host; 100, or all with --since.")
@click.option("-s", "--since", default="", metavar="TIME", help="From then on: 10m, 2h, 2026-01-31T12:00:00.")
@click.option("-g", "--grep", default="", metavar="PATTERN", help="Only lines that match, as grep understands it.")
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-T", "--timestamps", is_flag=True, help="With the time of each line.")
@_NAME
@shared(*CONNECT, "hosts", "json")
def logs(given: Given, name: str, **how: Any) -> Exit:
    """Show its log, from each of its hosts."""
    from shipway.app.accessory_inside import LogWish, accessory_logs
    from shipway.app.signals import run

    lines = how["lines"] if how["lines"] is not None or how["since"] else 100
    wish = LogWish(lines, how["since"], how["grep"], follow=how["follow"], timestamps=how["timestamps"])

    def write(host: str, line: str) -> None:
        body = {"host": host, "accessory": name, "line": line}
        sys.stdout.write((json.dumps(body, ensure_ascii=False) if given.json else f"{host} | {harmless(line)}") + "\n")
        sys.stdout.flush()

    try:
        run(lambda _: accessory_logs(choice_of(given), caller_of(given), name, wish, write), say)
    except Interrupted:
        if wish.follow:  # the way in which following ends is no error
            return Exit.INTERRUPTED
        raise
    return Exit.OK
