"""`shipway registry`: options as Kamal's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.group import NearestGroup
from shipway.cli.options import CONNECT, Function, Given, epilog, help_text, shared
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.table import VERBS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shipway.app.call import Caller

EXAMPLES = ("shipway registry login", "shipway registry logout --skip-local")
MORE = "A deploy logs in by itself: here to push, and on the hosts for the moment of the pull."


@click.group("registry", cls=NearestGroup, help=help_text(VERBS["registry"].help, MORE), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


def _where(function: Function) -> Function:
    function = click.option("-R", "--skip-remote", is_flag=True, help="Not on the hosts.")(function)
    return click.option("-L", "--skip-local", is_flag=True, help="Not on this machine.")(function)


@command.command("setup", epilog=epilog(("shipway registry setup",)))
@_where
@shared(*CONNECT, "hosts", "json")
def setup(given: Given, *, skip_local: bool, skip_remote: bool) -> None:
    """Log in where there is a registry; `none` and `localhost:` need nothing."""
    from shipway.app.image_verbs import has_registry

    if has_registry(choice_of(given)):
        _log_in(given, here=not skip_local, hosts=not skip_remote)
    else:
        _print(given, (), "nothing to set up: hosts get images through their SSH connections")


@command.command("login", epilog=epilog(EXAMPLES[:1]))
@_where
@shared(*CONNECT, "hosts", "json")
def login(given: Given, *, skip_local: bool, skip_remote: bool) -> None:
    """Log in to the registry, on this machine and on the hosts."""
    _log_in(given, here=not skip_local, hosts=not skip_remote)


@command.command("logout", epilog=epilog(EXAMPLES[1:]))
@_where
@shared(*CONNECT, "hosts", "json")
def logout(given: Given, *, skip_local: bool, skip_remote: bool) -> None:
    """Log out of the registry, on this machine and on the hosts."""
    _log_out(given, here=not skip_local, hosts=not skip_remote)


@command.command("remove", epilog=epilog(("shipway registry remove",)))
@_where
@shared(*CONNECT, "hosts", "json")
def remove(given: Given, *, skip_local: bool, skip_remote: bool) -> None:
    """Log out where there is a registry; `none` and `localhost:` leave nothing."""
    from shipway.app.image_verbs import has_registry

    if has_registry(choice_of(given)):
        _log_out(given, here=not skip_local, hosts=not skip_remote)
    else:
        _print(given, (), "nothing to remove: there is no registry")


def _log_in(given: Given, *, here: bool, hosts: bool) -> None:
    from shipway.app.image_verbs import log_in

    places = _run(lambda caller: log_in(choice_of(given), caller, here=here, hosts=hosts), given)
    _print(given, places, f"logged in: {', '.join(places) or 'nowhere'}")


def _log_out(given: Given, *, here: bool, hosts: bool) -> None:
    from shipway.app.image_verbs import log_out

    places = _run(lambda caller: log_out(choice_of(given), caller, here=here, hosts=hosts), given)
    _print(given, places, f"logged out: {', '.join(places) or 'nowhere'}")


def _run(use_case: Callable[[Caller], Awaitable[tuple[str, ...]]], given: Given) -> tuple[str, ...]:
    from shipway.app.signals import run

    return run(lambda _: use_case(caller_of(given)), say)


def _print(given: Given, places: tuple[str, ...], text: str) -> None:
    if given.json:
        print_json({"places": list(places)})
    else:
        print_text(text)
