"""The command group: verbs are imported when called, a wrong word is answered with the nearest right one."""

from __future__ import annotations

import importlib

import click

from shipway.cli.table import VERBS


def may_be_alias(word: str) -> bool:
    """Whether `word` may be an alias of the project: no verb, or one that Kamal has not."""
    return not word.startswith("-") and (word not in VERBS or VERBS[word].yields)


class LazyGroup(click.Group):
    """The root command. It knows its verbs from the table alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all verbs in the order of the table."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb; None for a word that is no verb."""
        del ctx
        entry = VERBS.get(cmd_name)
        if entry is None:
            return None
        command = importlib.import_module(entry.module(cmd_name)).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module(cmd_name)}.command is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that `args` begins with; raises click.UsageError with the nearest name for an unknown one."""
        refuse_unknown(ctx, args[0], list(VERBS), "verb")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs under their headings."""
        del ctx
        width = max(map(len, VERBS))
        for heading in dict.fromkeys(entry.heading for entry in VERBS.values()):
            rows = [(name.ljust(width), entry.help) for name, entry in VERBS.items() if entry.heading == heading]
            with formatter.section(heading):
                formatter.write_dl(rows)
        self._format_aliases(formatter)

    def _format_aliases(self, formatter: click.HelpFormatter) -> None:
        """Write the aliases of the project in this directory, where it has any."""
        from shipway.cli.aliases import known_aliases

        if aliases := known_aliases():
            with formatter.section("Aliases of this project"):
                formatter.write_dl(list(aliases.items()))


class NearestGroup(click.Group):
    """A verb with verbs of its own (`lock status`)."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begins with; raises click.UsageError with the nearest name."""
        refuse_unknown(ctx, args[0], list(self.commands), "command")
        return super().resolve_command(ctx, args)


def refuse_unknown(ctx: click.Context, word: str, known: list[str], kind: str) -> None:
    """Raise click.UsageError when `word` is neither one of `known` nor an option."""
    if word in known or word.startswith("-"):
        return
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1, cutoff=0.5)
    hint = f"; did you mean `{near[0]}`?" if near else f"; there are: {', '.join(known)}"
    raise click.UsageError(f"`{word}` is no {kind} of `{ctx.command_path}`{hint}", ctx)
