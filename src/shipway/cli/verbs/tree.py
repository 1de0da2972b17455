"""`shipway tree`."""

from __future__ import annotations

from shipway.cli.options import Given, verb
from shipway.cli.render.answer import print_text


@verb("tree", examples=("shipway tree",))
def command(given: Given) -> None:
    """Every verb with those below it, and what each does."""
    del given
    from shipway.cli.reference import commands

    found = [(words, command.get_short_help_str(limit=90)) for words, command in commands() if not command.hidden]
    indented = [("  " * words.count(" ") + words.rpartition(" ")[2], text) for words, text in found]
    width = max(len(name) for name, _ in indented)
    print_text("\n".join(f"{name.ljust(width)}  {text}" for name, text in indented))
