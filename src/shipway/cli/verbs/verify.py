"""`shipway verify`."""

from __future__ import annotations

import sys

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import paint_for
from shipway.core.errors import Exit


@verb(
    "verify",
    *CONNECT,
    "verbose",
    "json",
    examples=("shipway verify", "shipway verify -v", "shipway verify -d staging --json"),
)
def command(given: Given) -> int:
    """Asks what a deploy asks after its switch: pages, static files, logins and the like through the public name, on
    each web host in turn, and what the release itself can tell. `verify:` of the configuration says what. Exit code 4
    when a required check failed, 0 otherwise; -v shows what each check saw.
    """  # noqa: D205  one text for --help
    from shipway.app.signals import run
    from shipway.app.verification.verify import verify
    from shipway.cli.render.verify import render_verification, verification_document

    found = run(lambda _: verify(choice_of(given), caller_of(given)), say)
    if given.json:
        print_json(verification_document(found))
    else:
        print_text(render_verification(found, paint_for(sys.stdout), is_verbose=given.verbosity > 0))
    return int(Exit.REFUSED if found.fatal else Exit.OK)
