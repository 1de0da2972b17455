"""Tells which secrets' values stand in a text, without telling the values."""

from __future__ import annotations

from collections.abc import Mapping

from shipway.adapters.redact import Redactor

_LONG, _MIXED = 12, 8
"""A value counts where it is this long, or half as long and made of letters and something else.

Short or simple values (`postgres`, `production`) stand in images for other reasons: they would refuse good ones.
"""


class SecretFinder:
    """Finds values of secrets, in the forms in which programs write them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self._strong = {name: Redactor({name: value}) for name, value in values.items() if is_telling(value)}

    def names_in(self, text: str) -> tuple[str, ...]:
        """Return the names of the secrets whose values stand in `text`, or are what a variable of the same name has."""
        data = text.encode("utf-8", "surrogateescape")
        found = [name for name, redactor in self._strong.items() if redactor.clean(data) != data]
        name, _, value = text.partition("=")
        if name in self._values and value and value == self._values[name] and name not in found:
            found.append(name)
        return tuple(found)


def is_telling(value: str) -> bool:
    """Whether a value can be taken for a secret wherever it stands."""
    text = value.strip()
    is_mixed = any(char.isalpha() for char in text) and not text.isalpha()
    return len(text) >= _LONG or (len(text) >= _MIXED and is_mixed)
