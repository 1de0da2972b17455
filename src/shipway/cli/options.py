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
    """What the shared options of a call said. `verbosity` is -1 (quiet), 0, or 1 (verbose).

    `command` are the words of the verb: `app`, `boot`.
    """

    session: Session
    config_file: str | None = None
    destination: str | None = None
    hosts: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    verbosity: int = 0
    json: bool = False
    yes: bool = False
    primary: bool = False
    version: str = ""
    skip_hooks: bool = False
    lock_wait: bool = False
    lock_wait_timeout: int = 900
    lock_wait_interval: int = 15
    by: str = ""
    command: tuple[str, ...] = ()


def _split(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def _set_json(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:  # noqa: FBT001  click's signature
    session = ctx.find_object(Session)
    if session is not None and value:
        session.json = True
    return value


def _refuse_parts(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value:
        raise click.UsageError(
            f"`{param.opts[-1]}` is not possible here: a release goes to all hosts and roles, since half a release "
            "could not be rolled back to. `shipway app start` and `stop` take it, and a destination (-d) can have "
            "hosts of its own",
            ctx,
        )


def _whole(function: Function) -> Function:
    """Refuse, with the reason, the options by which Kamal deploys to a part of the hosts."""
    for names, is_flag in ((("-h", "--hosts"), False), (("-r", "--roles"), False), (("-p", "--primary"), True)):
        settings: dict[str, Any] = {"is_flag": True} if is_flag else {}
        option = click.option(*names, expose_value=False, hidden=True, callback=_refuse_parts, **settings)
        function = option(function)
    return function


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
        "-h", "--hosts", metavar="LIST", callback=_split, help="Only these hosts: names with commas between; * matches."
    ),
    "roles": click.option(
        "-r", "--roles", metavar="LIST", callback=_split, help="Only these roles: names with commas between; * matches."
    ),
    "primary": click.option("-p", "--primary", is_flag=True, help="Only the primary host."),
    "whole": _whole,
    "version": click.option("--version", metavar="VERSION", default="", help="This version instead of the usual one."),
    "skip_hooks": click.option("-H", "--skip-hooks", is_flag=True, help="Run no hooks."),
    "lock_wait": click.option("--lock-wait", is_flag=True, help="Wait while another run holds the lock."),
    "lock_wait_timeout": click.option(
        "--lock-wait-timeout", metavar="S", type=click.IntRange(0), default=900, show_default=True, help="How long."
    ),
    "lock_wait_interval": click.option(
        "--lock-wait-interval", metavar="S", type=click.IntRange(1), default=15, show_default=True, help="How often."
    ),
    "verbose": click.option(
        "-v", "--verbose", is_flag=True, help="Say more: what each command prints; of a plan, the exact commands."
    ),
    "quiet": click.option("-q", "--quiet", is_flag=True, help="Say only the result and what went wrong."),
    "json": click.option(
        "--json", is_flag=True, is_eager=True, callback=_set_json, help="Answer with JSON on standard output."
    ),
    "by": click.option(
        "--by",
        default="",
        metavar="NAME",
        help="Who you are, for the ledger; else SHIPWAY_BY, the CI's own variable, git's user.email, the login.",
    ),
    "yes": click.option("-y", "--yes", is_flag=True, help="Do not ask."),
}
CONFIG = ("config_file", "destination")
CONNECT = (*CONFIG, "skip_hooks")
WHERE = ("hosts", "roles", "primary")
TALK = ("verbose", "quiet")
LOCK = ("lock_wait", "lock_wait_timeout", "lock_wait_interval")
CHANGE = (*CONNECT, *TALK, *LOCK)


def shared(*names: str) -> Callable[[Function], Function]:
    """Return a decorator that gives a command the options `names` and passes what they said as one `Given`."""

    def decorate(function: Function) -> Function:
        def call(*args: Any, **values: Any) -> Any:
            taken = {name: values.pop(name) for name in names if name in values}
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
    context = click.get_current_context()
    session = context.find_object(Session) or Session()
    return Given(session, verbosity=verbosity, command=tuple(context.command_path.split()[1:]), **taken)


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
