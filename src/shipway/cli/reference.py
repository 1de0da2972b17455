"""The reference of the verbs as Markdown, from the commands themselves. Read by `bin/docs`, by no verb."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import click

from shipway.cli.table import VERBS

_EXAMPLES = "Examples:"
_INTRODUCTION = """\
# The verbs

<!-- Written by bin/docs from src/shipway/cli. Change it there. -->

`shipway VERB --help` says the same in the terminal. Results go to standard output, everything else (progress, errors)
to standard error. With `--json` an error is a document on standard output as well: `{"error": {…}}` with `code`,
`what`, `where`, `said`, `now`, `next`, `exit` and `findings`. [Exit codes](exit-codes.md) and [codes](codes.md) have
their own pages. `--hosts` and `--roles` stand only where a part makes sense: a release goes to all hosts or to none.
"""


def verbs_reference() -> str:
    """Return the whole page."""
    return _INTRODUCTION + "".join(_headings())


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its words (`lock status`), those of a group after the group."""
    for name, entry in VERBS.items():
        command: click.Command = importlib.import_module(entry.module(name)).command
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {word}", inner) for word, inner in command.commands.items())


def _headings() -> Iterator[str]:
    heading = ""
    for words, command in commands():
        entry = VERBS[words.split()[0]]
        if entry.heading != heading:
            heading = entry.heading
            yield f"\n## {heading}\n"
        yield _command(words, command)


def _command(words: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"shipway {words}")
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [
        f"\n{'####' if ' ' in words else '###'} `shipway {words}`\n",
        f"\n{inspect.cleandoc(command.help or '').strip()}\n",
        f"\n```\n{' '.join(usage.split())}\n```\n",
        _options(command, context),
        _examples(command),
    ]
    return "".join(parts)


def _options(command: click.Command, context: click.Context) -> str:
    options = (param for param in command.params if isinstance(param, click.Option))
    rows = [record for option in options if (record := option.get_help_record(context)) is not None]
    if not rows:
        return ""
    lines = [f"| `{names}` | {_cell(text)} |\n" for names, text in rows]
    return "\n| option | |\n|---|---|\n" + "".join(lines)


def _examples(command: click.Command) -> str:
    _, _, text = (command.epilog or "").partition(_EXAMPLES)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n```sh\n" + "".join(f"{line}\n" for line in lines) + "```\n" if lines else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
