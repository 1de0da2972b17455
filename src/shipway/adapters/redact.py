"""Taking secret values out of what hosts say, in the forms in which programs print them."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from shipway.core.errors import ConfigError
from shipway.core.ports import Secrets

MIN_CHARS = 4
"""Shorter values are no secrets: taking them out would only make output unreadable."""

_MIN_LINE = 16  # a line of a value with several lines (a key) is taken out by itself when it is so long
_MIN_BASE64 = 8


class Redactor:
    """Replaces every secret value by `[NAME redacted]`."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._names: dict[bytes, bytes] = {}
        for name, value in values.items():
            for form in _forms(value) if len(value) >= MIN_CHARS else ():
                self._names.setdefault(form, b"[%b redacted]" % name.encode())
        needles = sorted(self._names, key=len, reverse=True)
        self._needles = tuple(needles)
        self._pattern = re.compile(b"|".join(re.escape(needle) for needle in needles)) if needles else None

    @classmethod
    def of(cls, secrets: Secrets) -> Redactor:
        """Return a redactor of every secret that has a value."""
        values: dict[str, str] = {}
        for name in secrets.names():
            try:
                values[name] = secrets.reveal(name)
            except ConfigError:  # what has no value cannot be printed
                continue
        return cls(values)

    def clean(self, data: bytes) -> bytes:
        """Return `data` without secret values."""
        return self._pattern.sub(lambda found: self._names[found[0]], data) if self._pattern else data

    def stream(self, sink: Callable[[bytes], None]) -> RedactedStream:
        """Return a stream that cleans pieces and passes them to `sink`."""
        return RedactedStream(self, sink)

    def settled(self, data: bytes) -> tuple[bytes, bytes]:
        """Return what of `data` is clean and final, and the rest, which may be the beginning of a secret."""
        if self._pattern is None:
            return data, b""
        done: list[bytes] = []
        at = 0
        while True:
            hold = self._first_partial(data, at)
            found = self._pattern.search(data, at)
            if found is None or found.start() >= hold:
                done.append(data[at:hold])
                return b"".join(done), data[hold:]
            done += (data[at : found.start()], self._names[found[0]])
            at = found.end()

    def _first_partial(self, data: bytes, start: int) -> int:
        first = len(data)
        for needle in self._needles:
            at = data.find(needle[:1], max(start, len(data) - len(needle) + 1), first)
            while at >= 0 and not needle.startswith(data[at:]):
                at = data.find(needle[:1], at + 1, first)
            if at >= 0:
                first = at
        return first


@dataclass(slots=True)
class RedactedStream:
    """Cleans a stream piece by piece; a value that is split over pieces is found all the same."""

    redactor: Redactor
    sink: Callable[[bytes], None]
    _rest: bytes = field(default=b"")

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        done, self._rest = self.redactor.settled(self._rest + data)
        if done:
            self.sink(done)

    def end(self) -> None:
        """Pass on what was held back."""
        if self._rest:
            self.sink(self.redactor.clean(self._rest))
            self._rest = b""


def _as_python(value: str) -> Iterator[str]:
    """Yield `value` as `repr` writes it, alone or within a longer text: tracebacks of Python are full of it."""
    for form in (repr, ascii):
        plain = "".join(char if char in "'\"" else form(char)[1:-1] for char in value)
        yield from (plain, plain.replace("'", "\\'"))


def _forms(value: str) -> Iterator[bytes]:
    raw = value.encode("utf-8", "surrogateescape")
    yield raw
    texts = [json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], shlex.quote(value).strip("'")]
    texts += [quote(raw), quote(raw, safe=""), quote_plus(raw), *_as_python(value)]
    texts += [line.strip() for line in value.splitlines() if len(line.strip()) >= _MIN_LINE]
    for text in texts:
        if len(text) >= MIN_CHARS:
            yield text.encode("utf-8", "surrogateescape")
    for shift in range(3):  # a value inside of a longer text may begin at any of three places in its base64
        for encoded in (base64.b64encode(bytes(shift) + raw), base64.urlsafe_b64encode(bytes(shift) + raw)):
            form = encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]  # whole characters only
            if len(form) >= _MIN_BASE64:
                yield form
