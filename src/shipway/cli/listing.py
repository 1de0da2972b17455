"""How listings of hosts are shown: a heading for each host, then what it says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import Given
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import harmless, paint_for

if TYPE_CHECKING:
    from shipway.app.answers import Ran
    from shipway.app.listing import Listing


def show_listing(given: Given, what: Listing) -> int:
    """Show what the chosen hosts list; return the exit code: 1 where a host could not."""
    from shipway.app.listing import listing
    from shipway.app.signals import run

    return show_hosts(given, run(lambda _: listing(choice_of(given), caller_of(given), what), say))


def show_hosts(given: Given, found: Sequence[Ran]) -> int:
    """Show what each host said; return the first exit status that is not 0."""
    if given.json:
        print_json([asdict(one) for one in found])
    else:
        paint = paint_for(sys.stdout)
        parts = [f"{paint('bold', one.host)}\n{harmless(one.stdout or one.stderr).rstrip()}" for one in found]
        print_text("\n\n".join(parts))
    return next((one.status for one in found if one.status), 0)
