"""`shipway version`."""

from __future__ import annotations

import sys

from shipway.cli.options import Given, verb
from shipway.cli.render.answer import print_json, print_text


@verb("version", "json", examples=("shipway version", "shipway version --json"))
def command(given: Given) -> None:
    """With --json also the libraries, and where all of it is installed; put that into a report of a mistake."""
    from shipway.app.version import installed

    found = installed()
    if given.json:
        print_json(found)
    else:
        print_text(f"shipway {found['shipway']} (Python {found['python']}, {sys.platform})")
