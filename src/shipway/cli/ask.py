"""From the options of a call to what a use case needs: the choice, the caller, and an answer to "shall I?"."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from shipway.app.call import Caller, Choice, Redact
from shipway.cli.options import Given
from shipway.cli.render.answer import say
from shipway.cli.render.plain import Plain
from shipway.cli.render.text import is_terminal, paint_for
from shipway.core.events import Event

if TYPE_CHECKING:
    from shipway.app.answers import Preview


def choice_of(given: Given) -> Choice:
    """Return which service the options mean."""
    return Choice(given.config_file, given.destination, given.hosts, given.roles, given.primary, given.version)


def caller_of(
    given: Given,
    listen: Callable[[Event], None] | None = None,
    *,
    asks: bool = False,
    aside: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Caller:
    """Return how a use case talks back to this call. With `asks` a person at a terminal confirms the plan, unless -y.

    `aside` keeps the display out of the way of the question.

    Where no person is (a pipeline, `--json`) nobody is asked: whoever wrote `shipway rollback` there meant it.
    """

    def on_secrets(redact: Redact) -> None:
        given.session.redact = redact

    def confirm(preview: Preview) -> bool:
        from shipway.cli.render.plan_view import plan_view

        with aside():
            say(plan_view(preview.plan, preview.true_already, paint_for(sys.stderr), verbose=given.verbosity > 0))
            return click.confirm(f"{preview.plan.verb} {preview.plan.release}".strip() + "?", err=True)

    def ask(question: str) -> bool:
        with aside():
            return click.confirm(question, err=True)

    is_person = not given.json and is_terminal(sys.stdin) and is_terminal(sys.stderr)
    is_asked = asks and not given.yes and is_person
    agree = (lambda _preview: True) if given.yes else confirm if is_person else None
    return Caller(
        listen=listen or Plain(sys.stderr, paint_for(sys.stderr), given.verbosity).listen,
        say=(lambda _text: None) if given.verbosity < 0 or given.json else say,
        confirm=confirm if is_asked else None,
        consent=agree,
        ask=ask if is_person else None,
        on_secrets=on_secrets,
        command=given.command,
        skips_hooks=given.skip_hooks,
        is_verbose=given.verbosity > 0,
        by=given.by,
        lock_wait_s=float(given.lock_wait_timeout if given.lock_wait else 0),
        lock_every_s=float(given.lock_wait_interval),
    )
