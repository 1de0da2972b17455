"""`shipway remove`."""

from __future__ import annotations

from shipway.cli.ask import choice_of
from shipway.cli.change import run_change
from shipway.cli.confirm import require_typed
from shipway.cli.options import CONFIG, TALK, Given, verb


@verb("remove", *CONFIG, *TALK, "json", "yes", examples=("shipway remove", "shipway remove -d staging -y"))
def command(given: Given) -> None:
    """The site in the proxy, containers, releases and images go, and every accessory WITH ALL DATA in its directory.

    Other services and destinations of the same hosts are not touched, unless they share an accessory by its name. The
    ledger, uploads and shared files stay; so do Docker, and volumes with a name. Asks for the service's name to be
    typed; with -y, and only so where nobody can be asked, it does not.
    """
    from shipway.app.remove import remove, service_name

    choice = choice_of(given)
    require_typed(
        given, service_name(choice), f"remove{choice.options}", "removes the service, its accessories and their data"
    )
    run_change(given, lambda caller, interruption: remove(choice, caller, interruption))
