"""The demo in words: what each act does, what came of it, which claims held, and the table at the end."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shipway.cli.render.text import Paint

if TYPE_CHECKING:
    from shipway.app.demo.report import Row
    from shipway.app.demo.show import Shown
    from shipway.app.demo.story import Act, Claim, Outcome


class Words:
    """A `runner.Teller` that writes to standard output."""

    def __init__(self, paint: Paint) -> None:
        self._paint = paint

    def act_begins(self, act: Act, number: int, of: int) -> None:
        """Tell what comes now."""
        _print(f"\n{self._paint('bold', f'{number}/{of}  {act.title}')}\n     {act.words}")
        if act.do != "watch":
            _print(self._paint("dim", f"     $ shipway {act.do}"))

    def act_ends(self, act: Act, outcome: Outcome, row: Row | None) -> None:
        """Tell what came of it."""
        took = f" in {outcome.took_s:.1f} s" if outcome.took_s else ""
        if outcome.error_code:
            _print(f"     exit code {int(outcome.exit)}: {outcome.what}")
        elif act.do != "watch":
            _print(f"     exit code 0: {outcome.release} serves{took}")
        if row is not None:
            answered = " ".join(row.releases)
            _print(f"     {row.count} requests meanwhile, {row.failed} failed; answered by {answered}")

    def claim(self, claim: Claim, problem: str) -> None:
        """Tell whether a claim holds."""
        mark = self._paint("red", "✗") if problem else self._paint("green", "✓")
        _print(f"     {mark} {claim.words}" + (f": {problem}" if problem else ""))


def render_shown(shown: Shown, paint: Paint) -> str:
    """Return what stands under the last act: the table of the requests, the verdict, and where to look next."""
    from shipway.app.demo.report import render_table
    from shipway.app.demo.story import WHERE_NEXT

    played = shown.played
    lines = ["", paint("bold", "What happened to every request"), render_table(played.table), ""]
    if played.holds:
        lines.append(paint("green", f"{played.table[-1].count} requests, 0 lost. Everything held that was claimed."))
    else:
        lines.append(paint("red", f"{len(played.broken)} of the claims did not hold:"))
        lines += [f"  {words}: {problem}" for words, problem in played.broken]
    where = shown.project if shown.is_kept else "a project of yours; `--keep` leaves this one"
    lines += ["", f"Where to look next (in {where})"]
    rows = [(command.replace("shipway", _program(), 1), what) for command, what in WHERE_NEXT]
    width = max(len(command) for command, _ in rows)
    lines += [f"  {command.ljust(width)}  {what}" for command, what in rows]
    if shown.is_kept:
        lines += ["", f"The site goes on at http://{shown.address.name}:{shown.address.port}/"]
        lines += [f"To end it: pkill -f {shown.project.parent}/ && rm -r {shown.project.parent}"]
    return "\n".join(lines)


def _program() -> str:
    """Return what to type for Shipway: its name where a shell finds it, else where it stands (`bin/demo`)."""
    found = Path(sys.argv[0])
    is_far = shutil.which("shipway") is None and found.name == "shipway" and found.is_file()
    return str(found.absolute()) if is_far else "shipway"


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
