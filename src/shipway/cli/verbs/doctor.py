"""`shipway doctor`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from shipway.cli.ask import caller_of, choice_of
from shipway.cli.options import CONNECT, Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import paint_for
from shipway.core.errors import Exit

if TYPE_CHECKING:
    from shipway.checks.check import Part

_GB = 2.0


@verb(
    "doctor",
    *CONNECT,
    "hosts",
    "verbose",
    "json",
    examples=("shipway doctor", "shipway doctor --only project --fix", "shipway doctor -d staging --json"),
)
@click.option(
    "--only",
    type=click.Choice(("project", "servers", "outside")),
    multiple=True,
    help="Only this part; may be given more than once.",
)
@click.option("--offline", is_flag=True, help="Contact nobody: look at the project alone.")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend in the project's files.")
@click.option("--list", "is_list", is_flag=True, help="List all checks, and look at nothing.")
@click.option(
    "--min-free",
    type=click.FloatRange(0),
    default=_GB,
    show_default=True,
    metavar="GB",
    help="Less room than this on a server's disk is an error.",
)
def command(  # noqa: PLR0913  one parameter for each option
    given: Given, *, only: tuple[Part, ...], offline: bool, fix: bool, is_list: bool, min_free: float
) -> int:
    """Looks at the project's files with the environment of the configuration, asks each server once, and looks at what
    stands around them: names, ports, certificates, the registry, databases and mail servers. Nothing is changed on any
    server. Exit code 4 when there is an error, 0 otherwise; -v says why each finding matters.
    """  # noqa: D205  one text for --help
    from shipway.cli.render.doctor import checks_document, diagnosis_document, render_checks, render_diagnosis

    paint = paint_for(sys.stdout)
    if is_list:
        print_json(checks_document()) if given.json else print_text(render_checks(paint))
        return int(Exit.OK)
    from shipway.app.doctor.answers import Asked
    from shipway.app.doctor.run import diagnose
    from shipway.app.signals import run
    from shipway.checks.check import PARTS

    asked = Asked(tuple(part for part in PARTS if not only or part in only), offline, fix, min_free)
    answer = run(lambda _: diagnose(choice_of(given), caller_of(given), asked), say)
    if given.json:
        print_json(diagnosis_document(answer))
    else:
        print_text(render_diagnosis(answer, paint, is_verbose=given.verbosity > 0))
    return int(Exit.REFUSED if answer.has_errors else Exit.OK)
