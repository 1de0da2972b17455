"""What `exec`, `manage` and `app exec` share: a command inside a release, interactive at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import Given
from shipway.cli.render.answer import print_json, say
from shipway.cli.render.text import harmless, is_terminal

if TYPE_CHECKING:
    from shipway.app.answers import Ran
    from shipway.app.exec import Inside


def run_inside(given: Given, words: Sequence[str], how: Inside, *, interactive: bool | None = None) -> int:
    """Run `words` in the release that serves and return the exit status: the first one that is not 0.

    `interactive` None: where a person is at a terminal and one host is meant.
    """
    from shipway.app.exec import execute, interact
    from shipway.app.signals import run

    choice, caller = choice_of(given), caller_of(given)
    if interactive is None:
        interactive = not given.json and len(given.hosts) <= 1 and is_terminal(sys.stdin) and is_terminal(sys.stdout)
    if interactive:
        return run(lambda _: interact(choice, caller, words, how), say)
    # Pieces come from both streams as one: right for a person, wrong for `shipway exec … >file`.
    output = _show if not given.json and is_terminal(sys.stdout) else None
    found = run(lambda _: execute(choice, caller, words, how, output), say)
    if given.json:
        print_json([asdict(one) for one in found])
    elif output is None:
        for one in found:
            _write(one, is_labelled=len(found) > 1)
    return next((one.status for one in found if one.status), 0)


def shell_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words to run: one word with spaces in it is a line for a shell, as Kamal takes it."""
    is_line = len(words) == 1 and any(char.isspace() for char in words[0].strip())
    return ("sh", "-c", words[0]) if is_line else tuple(words)


def _show(piece: bytes) -> None:
    sys.stdout.write(harmless(piece.decode("utf-8", "replace")))
    sys.stdout.flush()


def _write(ran: Ran, *, is_labelled: bool) -> None:
    if is_labelled:
        say(f"{ran.host} {ran.role} {ran.release}:")
    sys.stdout.write(ran.stdout)
    sys.stdout.flush()
    sys.stderr.write(ran.stderr)
    if ran.is_cut:
        say(f"the output of {ran.host} was longer than what is kept of it; the rest was cut off")


def show_ran(found: Sequence[Ran], *, is_json: bool, is_raw: bool) -> int:
    """Print what a command answered on hosts, under the name of each, and return the first status that is not 0.

    `is_raw`: nothing but what it printed.
    """
    if is_json:
        print_json([asdict(one) for one in found])
    for one in found if not is_json else ():
        if not is_raw:
            sys.stdout.write(f"{one.host}:\n")
        _write(one, is_labelled=False)
    return next((one.status for one in found if one.status), 0)
