"""`shipway audit`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.answers import render_audit
from shipway.cli.render.text import paint_for
from shipway.core.chain import Head, heads_in
from shipway.core.errors import Exit

_MAX_CHARS = 1_048_576


@verb(
    "audit",
    *CONNECT,
    "hosts",
    "json",
    examples=(
        "shipway audit",
        "shipway audit -n 100 --json",
        "shipway audit --check",
        "shipway audit --check --json >heads.json",
        "shipway audit --check --since heads.json",
    ),
)
@click.option("-n", "--lines", type=click.IntRange(1), default=20, show_default=True, help="How many, newest first.")
@click.option("--check", is_flag=True, help="Tell whether a line of a ledger was edited, removed or moved.")
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --check: nothing that an earlier answer (--json) has seen may have changed, either.",
)
def command(given: Given, lines: int, *, check: bool, since: Path | None) -> int:
    """Read from the ledger on the primary host: every run with its author and outcome, approvals, holds, and notes.

    Each host chains the lines of its ledger by hash. --check reads the ledgers of all hosts in full and names every
    line that was edited, removed, moved or slipped in: exit code 4. A last line that a crash tore is no edit. Whoever
    may write the file may also make its chain anew; that shows in comparison with an answer that was kept elsewhere.
    """
    if since is not None and not check:
        raise click.UsageError("--since is for --check", click.get_current_context())
    if given.hosts and not check:
        raise click.UsageError("--hosts is for --check: runs stand on the primary host", click.get_current_context())
    if check:
        return _check(given, _kept(since) if since is not None else {})
    from shipway.app.audit import audit
    from shipway.app.signals import run

    rows = run(lambda _: audit(choice_of(given), caller_of(given), lines), say)
    if given.json:
        print_json([asdict(row) for row in rows])
    else:
        print_text(render_audit(rows, paint_for(sys.stdout)))
    return int(Exit.OK)


def _check(given: Given, earlier: Mapping[str, Head]) -> int:
    from shipway.app.audit import check_ledgers
    from shipway.app.signals import run
    from shipway.cli.render.ledgers import has_breaks, ledgers_document, render_ledgers

    found = run(lambda _: check_ledgers(choice_of(given), caller_of(given), earlier), say)
    if given.json:
        print_json(ledgers_document(found))
    else:
        print_text(render_ledgers(found, paint_for(sys.stdout)))
    return int(Exit.REFUSED if has_breaks(found) else Exit.OK)


def _kept(file: Path) -> Mapping[str, Head]:
    try:
        with file.open(encoding="utf-8") as opened:
            return heads_in(json.loads(opened.read(_MAX_CHARS)))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{file}: {error}", param_hint="--since") from None
