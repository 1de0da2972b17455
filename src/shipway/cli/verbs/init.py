"""`shipway init`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import click

from shipway.cli.options import Given, verb
from shipway.cli.render.answer import print_json, print_text, say
from shipway.cli.render.text import is_terminal, paint_for
from shipway.core.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from shipway.app.init import Init, Proposal


@verb(
    "init",
    "yes",
    "json",
    examples=("shipway init", "shipway init --yes --server 192.0.2.10 --host shop.example.org", "shipway init --diff"),
)
@click.argument("directory", default=".", metavar="[DIRECTORY]")
@click.option("--server", default="", metavar="ADDRESS", help="The name or address of the server.")
@click.option("--host", "site", default="", metavar="NAME", help="The name under which visitors reach the site.")
@click.option("--service", default="", metavar="NAME", help="The name of the service; the directory's by default.")
@click.option("--settings", default="", metavar="MODULE", help="The settings module for production.")
@click.option("--python", default="", metavar="VERSION", help="The version of Python in the image: 3.12.")
@click.option("--runtime", type=click.Choice(("docker", "venv")), default="docker", help="Containers, or virtualenvs.")
@click.option(
    "--accessories/--no-accessories", default=None, help="Whether PostgreSQL, MySQL and Redis run on the server too."
)
@click.option(
    "--proxy", type=click.Choice(("caddy", "nginx")), default="caddy", help="nginx: with --runtime venv only."
)
@click.option("--acme-ca", default="", metavar="URL", help="The ACME directory of a certificate authority of your own.")
@click.option("--acme-root", default="", metavar="FILE", help="What it is trusted by: a file of the project.")
@click.option("--health", is_flag=True, help="Write a health view and its route, where there is none.")
@click.option("--make-secrets", is_flag=True, help="Write random secrets (SECRET_KEY, the database's) into .kamal/.")
@click.option("--diff", "is_diff", is_flag=True, help="Show what would be written, and write nothing.")
def command(  # noqa: PLR0913  one parameter for each option
    given: Given,
    directory: str,
    *,
    server: str,
    site: str,
    service: str,
    settings: str,
    python: str,
    runtime: Literal["docker", "venv"],
    accessories: bool | None,
    proxy: Literal["caddy", "nginx"],
    acme_ca: str,
    acme_root: str,
    health: bool,
    make_secrets: bool,
    is_diff: bool,
) -> None:
    """DIRECTORY is the repository; the one you are in by default. It is read like `shipway inspect` does it.

    Written are config/deploy.yml, a Dockerfile, .dockerignore, .kamal/secrets (names and no values) and lines for
    .gitignore. A file that exists is never changed: it is kept, and --diff shows what init would have written.

    At a terminal up to five things are asked that no file says. -y, --json and pipelines are asked nothing.
    """
    from shipway.app.init import Init
    from shipway.scaffold.subject import Wishes

    about = (service, server, site, runtime, settings, python, accessories, health)
    init = Init(directory, Wishes(*about, proxy=proxy, acme_ca=acme_ca, acme_root=acme_root))
    is_asked = not given.yes and not given.json and not is_diff and is_terminal(sys.stdin) and is_terminal(sys.stderr)
    if is_asked:
        _ask(init)
    proposal = init.propose(with_secrets=make_secrets)
    if is_asked and proposal.files:
        _confirm(proposal)
    if not is_diff:
        init.write(proposal)
    _tell(given, proposal, is_diff=is_diff)


def _ask(init: Init) -> None:
    for question in init.questions():
        while True:
            if isinstance(question.default, bool):
                answer: str | bool = click.confirm(f"{question.text}?", default=question.default, err=True)
            else:
                answer = click.prompt(
                    question.text, default=question.default, show_default=bool(question.default), err=True
                )
            try:
                init.answer(question.name, answer.strip() if isinstance(answer, str) else answer)
                break
            except UsageError as error:
                say(f"{error.what}; {error.next}")


def _confirm(proposal: Proposal) -> None:
    from shipway.cli.render.init_view import files_view

    say(files_view(proposal, paint_for(sys.stderr)))
    if not click.confirm("Write these files?", default=True, err=True):
        raise Interrupted("run.declined", "init was not confirmed", now="nothing was written")


def _tell(given: Given, proposal: Proposal, *, is_diff: bool) -> None:
    from shipway.app.init import init_document
    from shipway.cli.render.init_view import diff_view, files_view, findings_view, next_view

    if given.json:
        print_json(init_document(proposal, has_written=not is_diff))
        return
    paint = paint_for(sys.stdout)
    blocks = [diff_view(proposal, paint) if is_diff else files_view(proposal, paint), findings_view(proposal, paint)]
    blocks += [] if is_diff else [next_view(proposal)]
    print_text("\n\n".join(block for block in blocks if block))
