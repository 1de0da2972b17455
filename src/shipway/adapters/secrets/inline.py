"""`secrets fetch` and `secrets extract`: as functions, and as `$(kamal secrets …)` run in process."""

from __future__ import annotations

import argparse
import json
import shlex
from typing import NoReturn

from shipway.adapters.secrets.managers import fetch
from shipway.adapters.secrets.managers.base import Wanted
from shipway.adapters.secrets.programs import Programs
from shipway.config.dotenv_shell import Value, escape_word
from shipway.core.errors import ConfigError

_OPERATORS = frozenset({"|", "||", "&", "&&", ";", "<", ">", ">>"})


def to_json(values: dict[str, str]) -> str:
    """Return what `secrets fetch` answers: a JSON object on one line."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def extract(name: str, text: str) -> str:
    """Return the value of `name` in the JSON object `text`: of the key itself, or of the first that ends in `/name`.

    Raises ConfigError `secrets.no_json` or `secrets.not_extracted`; neither quotes a value.
    """
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise ConfigError(
            "secrets.no_json",
            f"`secrets extract {name}` was given no JSON object",
            next="is the second word the answer of `secrets fetch`, as `$SECRETS`?",
        )
    held = {key: value for key, value in values.items() if value is not None}
    value = held.get(name, next((item for key, item in held.items() if key.endswith(f"/{name}")), None))
    if value is None:
        there = ", ".join(f"`{key}`" for key in values)
        hint = f"did you mean one of {there}?" if there else "is its name among those that `secrets fetch` names?"
        raise ConfigError("secrets.not_extracted", f"Could not find secret {name}", next=hint)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def run_inline(command: str, programs: Programs) -> tuple[Value, tuple[str, ...]]:
    """Run `kamal secrets …` (or `shipway secrets …`) in process; return its value and every secret it saw.

    The value of `fetch` is its JSON as one shell word, as with Kamal's `--inline`. Raises ConfigError.
    """
    try:
        words = shlex.split(command)[2:]
    except ValueError as error:
        raise _refused(f"`secrets` could not be read as words: {error}") from None
    if operators := [word for word in words if word in _OPERATORS]:
        raise _refused(
            f"`secrets` is run without a shell, so that `{operators[0]}` means nothing to it",
            next="give the answer a name of its own and use that name in a second `$(…)`",
        )
    match words:
        case ["fetch", *rest]:
            given = _fetch_parser().parse_intermixed_args(rest)
            values = fetch(given.adapter, Wanted(tuple(given.names), given.account, given.source), programs)
            text = to_json(values)
            return Value(escape_word(text), text), tuple(values.values())
        case ["extract", *rest]:
            given = _extract_parser().parse_intermixed_args(rest)
            value = extract(given.name, given.json).removesuffix("\n").removesuffix("\r")
            return Value(value), (value,)
        case ["print", *_]:
            raise _refused("`secrets print` prints this file and cannot stand in it")
        case _:
            raise _refused(f"`secrets {' '.join(words[:1])}` is no command", next="there are `fetch` and `extract`")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        del message  # argparse quotes words that it does not understand, and one of them may be a value.
        raise _refused(f"`{self.prog}` was given words that it does not take", next=self.format_usage().strip())


def _fetch_parser() -> _Parser:
    parser = _Parser("secrets fetch", add_help=False, allow_abbrev=False)
    parser.add_argument("-a", "--adapter", required=True)
    parser.add_argument("--account", default="")
    parser.add_argument("--from", dest="source", default="")
    parser.add_argument("--inline", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME")
    return parser


def _extract_parser() -> _Parser:
    parser = _Parser("secrets extract", add_help=False, allow_abbrev=False)
    parser.add_argument("--inline", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("json", metavar="JSON")
    return parser


def _refused(what: str, *, next: str = "") -> ConfigError:
    return ConfigError("secrets.inline", what, next=next)
