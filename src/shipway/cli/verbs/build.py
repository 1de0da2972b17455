"""`shipway build`."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.display import display_for
from shipway.cli.group import NearestGroup
from shipway.cli.options import CONNECT, TALK, Given, epilog, help_text, shared
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.table import VERBS

if TYPE_CHECKING:
    from shipway.app.build import BuildOrder
    from shipway.app.call import Caller
    from shipway.app.image_verbs import Brought

T = TypeVar("T")
EXAMPLES = ("shipway build push", "shipway build deliver -d staging", "shipway build dev")
MORE = "`shipway deploy` builds by itself; these are for building without a deploy, and for looking at the builder."
_NO_CACHE = click.option("--no-cache", is_flag=True, help="Make every layer again.")
_OUTPUT = click.option(
    "--output",
    type=click.Choice(["registry", "docker"]),
    default="registry",
    show_default=True,
    help="Where the image goes; `docker` keeps it in the engine here.",
)


@click.group("build", cls=NearestGroup, help=help_text(VERBS["build"].help, MORE), epilog=epilog(EXAMPLES))
def command() -> None:
    """Do nothing by itself."""


@command.command("push", epilog=epilog(("shipway build push", "shipway build push --no-cache -v")))
@_NO_CACHE
@_OUTPUT
@shared(*CONNECT, *TALK, "json")
def push(given: Given, output: str, *, no_cache: bool) -> None:
    """Build the image of HEAD, check it and push it."""
    from shipway.app.build import BuildOrder

    _bring(given, BuildOrder(no_cache=no_cache, keeps=output == "docker"), pulls=False)


@command.command("pull", epilog=epilog(("shipway build pull", "shipway build pull --hosts web-1")))
@shared(*CONNECT, "hosts", *TALK, "json")
def pull(given: Given) -> None:
    """Let the hosts pull the image of HEAD."""
    from shipway.app.build import BuildOrder

    _bring(given, BuildOrder(skips=True), pulls=True)


@command.command("deliver", epilog=epilog(("shipway build deliver",)))
@_NO_CACHE
@shared(*CONNECT, "hosts", *TALK, "json")
def deliver(given: Given, *, no_cache: bool) -> None:
    """Build the image of HEAD, push it, and let the hosts pull it."""
    from shipway.app.build import BuildOrder

    _bring(given, BuildOrder(no_cache=no_cache), pulls=True)


@command.command("dev", epilog=epilog(("shipway build dev",)))
@_NO_CACHE
@_OUTPUT
@shared(*CONNECT, *TALK, "json")
def dev(given: Given, output: str, *, no_cache: bool) -> None:
    """Build the working tree as it is, uncommitted changes and all, as `VERSION-dirty`; it stays in the engine here."""
    del output  # Kamal's option: an image of what nobody committed is pushed nowhere
    from shipway.app.build import BuildOrder

    _bring(given, BuildOrder(no_cache=no_cache, tag="-dirty"), pulls=False)


@command.command("create", epilog=epilog(("shipway build create",)))
@shared(*CONNECT, *TALK, "json")
def create(given: Given) -> None:
    """Make the builder that the configuration asks for; a deploy does it by itself."""
    from shipway.app.image_verbs import create_builder

    _titles(given, _shown(given, lambda caller: create_builder(choice_of(given), caller)))


@command.command("remove", epilog=epilog(("shipway build remove",)))
@shared(*CONNECT, *TALK, "json")
def remove(given: Given) -> None:
    """Remove the builder that the configuration asks for, with its cache."""
    from shipway.app.image_verbs import remove_builder

    _titles(given, _shown(given, lambda caller: remove_builder(choice_of(given), caller)))


@command.command("details", epilog=epilog(("shipway build details",)))
@shared(*CONNECT, "json")
def details(given: Given) -> int:
    """Show the builder and the contexts of Docker."""
    from shipway.app.image_verbs import builder_details
    from shipway.app.signals import run

    found = run(lambda _: builder_details(choice_of(given), caller_of(given)), say)
    if given.json:
        print_json([asdict(one) for one in found])
    else:
        print_text("\n".join(f"$ {one.role}\n{one.stdout}{one.stderr}" for one in found))
    return next((one.status for one in found if one.status), 0)


def _bring(given: Given, order: BuildOrder, *, pulls: bool) -> None:
    from shipway.app.image_verbs import bring

    found = _shown(given, lambda caller: bring(choice_of(given), caller, order, pulls=pulls))
    if given.json:
        sys.stdout.write(json.dumps({"build": asdict(found)}, ensure_ascii=False) + "\n")
    else:
        print_text(_sentence(found))


def _sentence(found: Brought) -> str:
    verb = ("built and pushed" if found.is_pushed else "built") if found.builder else ""
    hosts = f"pulled by {', '.join(found.hosts)}" if found.hosts else ""
    return f"{found.image}: {' and '.join(filter(None, (verb, hosts)))}"


def _shown(given: Given, use_case: Callable[[Caller], Awaitable[T]]) -> T:
    from shipway.app.signals import run

    with display_for(given) as display:
        caller = caller_of(given, display.listen)
        return run(lambda _: use_case(caller), say)


def _titles(given: Given, titles: tuple[str, ...]) -> None:
    if given.json:
        sys.stdout.write(json.dumps({"done": list(titles)}, ensure_ascii=False) + "\n")
    else:
        print_text("\n".join(titles) or "the engine's own builder is used, so there is nothing to do")
