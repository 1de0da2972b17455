"""The command `shipway`: parse, call the verb, and turn every way out into a message and an exit code.

Imports of this module are paid by every call, `shipway --help` included; `tests/cli/test_start.py` holds the list.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from shipway import __version__
from shipway.cli.group import LazyGroup, may_be_alias
from shipway.cli.render.error import render_error, render_error_json
from shipway.cli.render.text import paint_for
from shipway.cli.state import HungUp, Session
from shipway.core.errors import Bug, Exit, Interrupted, ShipwayError, UsageError

EPILOG = "\b\nExamples:\n  shipway plan deploy  (what would happen)\n  shipway deploy\n  shipway rollback"


def _show_help(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's signature
    """Answer `shipway -h`; after a verb `-h` means hosts, as with Kamal."""
    if value:
        click.echo(ctx.get_help())
        ctx.exit()


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["--help"], "max_content_width": 110},
)
@click.option("-h", is_flag=True, hidden=True, is_eager=True, expose_value=False, callback=_show_help)
@click.version_option(__version__, prog_name="shipway", message="%(prog)s %(version)s")
def root() -> None:
    """Ships Django projects to servers that their teams own: no request lost, and a way back."""


def main(argv: Sequence[str] | None = None, command: click.Command = root) -> int:
    """Run `shipway` with `argv` (the process's own arguments by default) and return its exit code (`core.errors`).

    `command` is the root, or one verb of it.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    session = Session()
    try:
        if command is root and words and may_be_alias(words[0]):
            from shipway.cli.aliases import expand

            words = expand(words)
        code = command.main(args=words, prog_name="shipway", standalone_mode=False, obj=session)
        sys.stdout.flush()
    except (HungUp, BrokenPipeError):
        return _hang_up()
    except click.ClickException as error:
        session.json = session.json or "--json" in _own_words(words)
        return _tell(usage_error(error), session)
    except (click.Abort, KeyboardInterrupt):
        return _tell(Interrupted("run.interrupted", "stopped on request", now="nothing was changed"), session)
    except ShipwayError as error:
        return _tell(error, session)
    except Exception as error:  # noqa: BLE001  the last line of defence: whatever is left is our mistake
        return _tell(_bug(error, session), session)
    return int(code or 0)


def usage_error(error: click.ClickException) -> UsageError:
    """Return what click found wrong with the command line as an error of ours."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = error.format_message().rstrip(".")
    hint = f"`{context.command_path} --help` shows what it takes" if context else "`shipway --help`"
    return UsageError("usage.wrong", message[:1].lower() + message[1:], next=hint)


def _own_words(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index("--")] if "--" in words else words


def _tell(error: ShipwayError, session: Session) -> int:
    try:
        if session.json:
            sys.stdout.write(session.redact(render_error_json(error)))
            sys.stdout.flush()
        else:
            sys.stderr.write(session.redact(render_error(error, paint_for(sys.stderr))))
            sys.stderr.flush()
    except BrokenPipeError:
        _hang_up()
    except OSError:
        pass  # the terminal is gone; the exit code still tells
    return int(error.exit_code)


def _bug(error: Exception, session: Session) -> Bug:
    import tempfile
    import traceback

    text = session.redact("".join(traceback.format_exception(error)))
    with tempfile.NamedTemporaryFile("w", prefix="shipway-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(f"shipway {__version__}, Python {sys.version}\n\n{text}")
    return Bug(
        "shipway.bug",
        "Shipway met something that it did not foresee; the mistake is ours",
        where=file.name,
        next="send us that file (it holds no secret value); `shipway status` shows what serves",
    )


def _hang_up() -> int:
    # Whoever read our output has gone (`shipway logs | head`); Python would complain once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return int(Exit.OK)


if __name__ == "__main__":
    sys.exit(main())
