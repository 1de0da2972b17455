"""`shipway config`."""

from __future__ import annotations

from shipway.cli.ask import choice_of
from shipway.cli.options import CONFIG, Given, verb
from shipway.cli.render.answer import print_json, print_text


@verb("config", *CONFIG, "json", examples=("shipway config", "shipway config -d staging --json"))
def command(given: Given) -> None:
    """After the destination's file was merged and defaults were filled in; secrets by name only.

    No host is contacted. The exit code 3 means that the file has mistakes; all of them are listed.
    """
    from shipway.app.config import show_config

    shown = show_config(choice_of(given))
    if given.json:
        print_json(shown.document)
    else:
        print_text(shown.text)
