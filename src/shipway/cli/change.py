"""How every verb that changes something runs: a display while it goes on, the report at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from shipway.cli.ask import caller_of
from shipway.cli.display import display_for
from shipway.cli.options import Given
from shipway.cli.render.answer import print_text, say
from shipway.cli.render.answers import render_report
from shipway.cli.render.text import paint_for

if TYPE_CHECKING:
    from shipway.app.answers import Report
    from shipway.app.call import Caller
    from shipway.app.signals import Interruption

UseCase = Callable[["Caller", "Interruption"], Awaitable["Report"]]


def run_change(given: Given, use_case: UseCase, *, asks: bool = False) -> None:
    """Run `use_case`, show its events, and print its report. What it raises is told by `main`."""
    from shipway.app.signals import run

    with display_for(given) as display:
        caller = caller_of(given, display.listen, asks=asks, aside=display.aside)
        report = run(lambda interruption: use_case(caller, interruption), say)
    if given.json:
        sys.stdout.write(json.dumps({"report": asdict(report)}, ensure_ascii=False) + "\n")
    else:
        print_text(render_report(report, paint_for(sys.stdout)))
