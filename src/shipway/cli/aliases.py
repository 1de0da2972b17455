"""One's own names for commands, before the command line is understood."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from shipway.app.aliases import aliases_of
from shipway.app.call import Choice
from shipway.core.errors import UsageError

_VALUED = {"-c": "config_file", "--config-file": "config_file", "-d": "destination", "--destination": "destination"}


def expand(words: Sequence[str]) -> list[str]:
    """Return `words` with an alias in the first place replaced by what it stands for; the rest is appended.

    An alias may lead to another one; within what it stands for its own name means the verb. Raises UsageError.
    """
    found, seen = list(words), set[str]()
    while found and found[0] not in seen:
        name = found[0]
        text = aliases_of(_choice(found), name).get(name)
        if text is None:
            break
        seen.add(name)
        try:
            found[:1] = shlex.split(text)
        except ValueError as error:
            what = f"the alias `{name}` is no command line: {str(error).lower()}"
            raise UsageError("usage.alias", what, where=text, next="correct `aliases` in the configuration") from None
    return found


def known_aliases() -> Mapping[str, str]:
    """Return the aliases of the project in this directory, for `--help`."""
    return aliases_of(Choice())


def _choice(words: Sequence[str]) -> Choice:
    """Return which configuration the options among `words` mean."""
    given: dict[str, str] = {}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if word in _VALUED:
            given[_VALUED[word]] = following
        elif name in _VALUED and value:
            given[_VALUED[name]] = value
        elif word[:2] in _VALUED and not word.startswith("--"):
            given[_VALUED[word[:2]]] = word[2:]
        if word == "--":
            break
    return Choice(given.get("config_file") or None, given.get("destination") or None)
