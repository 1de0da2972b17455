"""What `exec` and `manage` share: a command inside a release, interactive at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import Given
from shipway.cli.render.answer import print_json, say
from shipway.cli.render.text import is_terminal


def run_inside(given: Given, words: Sequence[str], *, is_manage: bool = False) -> int:
    """Run `words` in the release that serves and return the exit status: the first one that is not 0."""
    from shipway.app.exec import execute, interact
    from shipway.app.signals import run

    choice, caller = choice_of(given), caller_of(given)
    if not given.json and len(given.hosts) <= 1 and is_terminal(sys.stdin) and is_terminal(sys.stdout):
        return run(lambda _: interact(choice, caller, words, is_manage=is_manage), say)
    output = None if given.json else _write
    found = run(lambda _: execute(choice, caller, words, is_manage=is_manage, output=output), say)
    if given.json:
        print_json([asdict(one) for one in found])
    return next((one.status for one in found if one.status), 0)


def _write(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
