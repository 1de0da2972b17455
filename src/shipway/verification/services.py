"""What it means that a database, a cache, the mail server or the storage answered as it did, asked from inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from shipway.core.inside import Inside, Tried
from shipway.verification.outcome import Answer, failed, passed, skipped

_SHOWN = 5


def judge_service(kind: str, inside: Inside) -> Answer:
    """Return the answer of the check `kind` (database, cache, email, storage)."""
    if fault := inside.faults.get(kind):
        return failed(f"the project could not be asked about its {_WORDS[kind]}", fault)
    if kind not in inside.services:
        return failed(inside.cut or "there was no answer", next="`shipway manage check` runs in the same place")
    tried = inside.services[kind]
    problems = [problem for one in tried for problem in _problems(kind, one)]
    lines = tuple(_line(kind, one) for one in tried if not one.fault)
    if problems:
        return failed(problems[0], *problems[1:_SHOWN], *lines, next=_NEXT[kind])
    if tried and all(one.skipped for one in tried):
        return skipped("; ".join(f"{one.name}: {one.skipped}" for one in tried))
    return passed(*lines) if tried else skipped(f"the project has no {_WORDS[kind]}")


_WORDS = {"database": "database", "cache": "cache", "email": "mail server", "storage": "storage of files"}
_NEXT = {
    "database": "`shipway manage dbshell` asks it from the same place",
    "cache": "is the server of `CACHES` up, and does the release reach it?",
    "email": "`shipway manage sendtestemail you@example.org` tries it from the same place",
    "storage": "may the application's user write there, and is the place a volume?",
}


def _problems(kind: str, one: Tried) -> Iterator[str]:
    if one.fault:
        yield f"the {_WORDS[kind]} `{one.name}` failed: {one.fault}"
    elif not one.skipped:
        yield from _LOOKS[kind](one)


def _database(one: Tried) -> Iterator[str]:
    del one
    yield from ()


def _cache(one: Tried) -> Iterator[str]:
    if not one.is_same:
        yield f"the cache `{one.name}` did not give back what it got ({one.backend})"
    elif not one.is_gone:
        yield f"the cache `{one.name}` kept a key that was deleted ({one.backend})"


def _storage(one: Tried) -> Iterator[str]:
    if not one.is_same:
        yield f"the storage did not give back the file that it got ({one.backend})"
    elif not one.is_gone:
        yield f"the storage kept a file that was deleted ({one.backend})"
    if one.is_lost and one.fields:
        fields = ", ".join(one.fields[:3])
        yield f"uploaded files ({fields}) stand in the container at {one.location} and go with it: no volume is there"


_LOOKS: Mapping[str, Callable[[Tried], Iterator[str]]] = {
    "database": _database,
    "cache": _cache,
    "email": _database,
    "storage": _storage,
}


def _line(kind: str, one: Tried) -> str:
    """Return what was seen, for a person."""
    if one.skipped:
        return f"{one.name}: {one.skipped}"
    if kind == "database":
        wrote = f", written to and rolled back in {one.write_ms} ms" if one.wrote else ", not written to"
        return f"{one.name}: {one.vendor}, {one.table or 'no table'} read in {one.read_ms} ms{wrote}"
    place = one.server or one.location
    return f"{one.name}: {one.backend}" + (f" at {place}" if place else "")
