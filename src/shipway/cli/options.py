"""The options that verbs share, and the decorator that makes a function a verb."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from shipway.cli.state import HungUp, Session
from shipway.cli.table import VERBS

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Given:
    """What the shared options of a call said. `verbosity` is -1 (quiet), 0, or 1 (verbose)."""

    session: Session
    config_file: str | None = None
    destination: str | None = None
    hosts: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    verbosity: int = 0
    json: bool = False
    yes: bool = False


def _split(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def _set_json(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:  # noqa: FBT001  click's signature
    session = ctx.find_object(Session)
    if session is not None and value:
        session.json = True
    return value


_OPTIONS: dict[str, Callable[[Function], Function]] = {
    "config_file": click.option(
        "-c",
        "--config-file",
        metavar="FILE",
        help="The configuration; config/deploy.yml or deploy.yml by default.",
    ),
    "destination": click.option(
        "-d", "--destination", metavar="NAME", help="staging, production: deploy.NAME.yml is merged over the file."
    ),
    "hosts": click.option(
        "--hosts", metavar="LIST", callback=_split, help="Only these hosts: names with commas between; * matches."
    ),
    "roles": click.option(
        "--roles", metavar="LIST", callback=_split, help="Only these roles: names with commas between; * matches."
    ),
    "verbose": click.option(
        "-v", "--verbose", is_flag=True, help="Say more: what each command prints; of a plan, the exact commands."
    ),
    "quiet": click.option("-q", "--quiet", is_flag=True, help="Say only the result and what went wrong."),
    "json": click.option(
        "--json", is_flag=True, is_eager=True, callback=_set_json, help="Answer with JSON on standard output."
    ),
    "yes": click.option("-y", "--yes", is_flag=True, help="Do not ask."),
}
CONFIG = ("config_file", "destination")
WHERE = ("hosts", "roles")
TALK = ("verbose", "quiet")


def shared(*names: str) -> Callable[[Function], Function]:
    """Return a decorator that gives a command the options `names` and passes what they said as one `Given`."""

    def decorate(function: Function) -> Function:
        def call(*args: Any, **values: Any) -> Any:
            taken = {name: values.pop(name) for name in names}
            try:
                return function(_given(taken), *args, **values)
            except BrokenPipeError as error:
                raise HungUp from error

        call.__name__, call.__doc__ = function.__name__, function.__doc__
        call.__click_params__ = list(getattr(function, "__click_params__", []))  # type: ignore[attr-defined]
        wrapped: Function = call
        for name in reversed(names):
            wrapped = _OPTIONS[name](wrapped)
        return wrapped

    return decorate


def _given(taken: dict[str, Any]) -> Given:
    verbosity = int(taken.pop("verbose", False)) - int(taken.pop("quiet", False))
    session = click.get_current_context().find_object(Session) or Session()
    return Given(session=session, verbosity=verbosity, **taken)


def verb(name: str, *options: str, examples: tuple[str, ...], **settings: Any) -> Callable[[Function], click.Command]:
    """Return a decorator that makes a function the verb `name` with shared `options`.

    The function is called with a `Given` and its own parameters, and returns an exit code or None. Its docstring says
    in `--help` what the table's line does not.
    """

    def decorate(function: Function) -> click.Command:
        text = help_text(VERBS[name].help, function.__doc__)
        make: Callable[[Function], click.Command] = click.command(name, help=text, epilog=epilog(examples), **settings)
        return make(shared(*options)(function))

    return decorate


def help_text(line: str, more: str | None) -> str:
    """Return the help of a verb: its line in the table, and the text of its docstring."""
    return f"{line}.\n\n{inspect.cleandoc(more or '')}"


def epilog(examples: tuple[str, ...]) -> str:
    r"""Return `examples` as they stand at the end of `--help`; click keeps the lines of a block that begins with \b."""
    return "\n".join(["\b", "Examples:", *(f"  {example}" for example in examples)])
