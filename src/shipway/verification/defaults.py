"""Which checks from outside run, and what decides over each: the configuration, or the table of the default set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from shipway.config.verify import (
    CertificateCheck,
    FlowCheck,
    HstsCheck,
    HttpCheck,
    PageCheck,
    ReleaseCheck,
    StaticCheck,
    VerifySection,
)
from shipway.config.verify_keys import CheckKeys, setting
from shipway.verification.outcome import Check
from shipway.verification.place import Place

CODES = {
    "pages": "verify.pages",
    "http": "verify.http",
    "release": "verify.release",
    "debug": "verify.debug",
    "static": "verify.static",
    "flow": "verify.flow",
    "certificate": "verify.certificate",
    "redirect": "verify.redirect",
    "hsts": "verify.hsts",
    "cookies": "verify.cookies",
    "wrong_host": "verify.wrong_host",
}
"""The code of each kind of check from outside."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A check from outside: what it is, where it is asked, and its keys. `kind` is the key of the configuration.

    `is_named`: the configuration names it.
    """

    kind: str
    check: Check
    place: Place
    keys: CheckKeys
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class _Default:
    """A line of the table: the kind, its keys where nothing is written, whether a failure turns a deploy back.

    `where` tells of a place whether the check makes sense there. `is_on`: it runs without being named.
    """

    kind: str
    model: type[CheckKeys]
    is_required: bool
    where: Callable[[Place], bool]
    is_on: bool = True


def _anywhere(_place: Place) -> bool:
    return True


def _on_first(place: Place) -> bool:
    return place.is_first


def _with_tls(place: Place) -> bool:
    return place.is_tls


# What a release can break turns a deploy back. What a way back does not mend (a certificate, the proxy's own answers),
# or what many good sites have (a cookie without Secure), is told.
TABLE = (
    _Default("pages", PageCheck, True, _anywhere),
    _Default("release", ReleaseCheck, True, _on_first),
    _Default("debug", CheckKeys, True, _on_first),
    _Default("static", StaticCheck, True, _on_first),
    _Default("certificate", CertificateCheck, False, _with_tls),
    _Default("redirect", CheckKeys, False, lambda place: place.is_redirected),
    _Default("hsts", HstsCheck, False, lambda place: place.is_tls and place.is_first, is_on=False),
    _Default("cookies", PageCheck, False, lambda place: place.is_tls and place.is_first),
    _Default("wrong_host", CheckKeys, False, lambda place: place.is_first and bool(place.names)),
)


def outside_checks(section: VerifySection, places: tuple[Place, ...]) -> Iterator[Asked]:
    """Yield every check from outside that is to run, place by place."""
    for place in places:
        for line in TABLE:
            yield from _of_line(section, line, place)
        yield from _of_lists(section, place)


def _of_line(section: VerifySection, line: _Default, place: Place) -> Iterator[Asked]:
    written: CheckKeys | bool | None = getattr(section, line.kind)
    is_named = written is not None
    keys = setting(line.model, written)
    if keys is None or not line.where(place) or (not is_named and not (section.defaults and line.is_on)):
        return
    if line.kind == "certificate" and not is_named and not place.is_public_ca:
        return  # an authority of one's own: only the team knows what trusts it
    is_required = line.is_required if keys.required is None else keys.required
    check = check_of(section, CODES[line.kind], place.name, keys, is_required=is_required)
    yield Asked(line.kind, replace(check, host=place.host), place, keys, is_named)


def _of_lists(section: VerifySection, place: Place) -> Iterator[Asked]:
    lists: tuple[tuple[str, tuple[HttpCheck, ...] | tuple[FlowCheck, ...]], ...] = (
        ("http", section.http),
        ("flow", section.flows),
    )
    used: Counter[str] = Counter()
    for kind, written in lists:
        for keys in written:
            if (keys.site or place.name) != place.name or (keys.site is None and not place.is_first):
                continue
            name = keys.name or (keys.path if isinstance(keys, HttpCheck) else kind)
            used[f"{kind} {name}"] += 1
            if (number := used[f"{kind} {name}"]) > 1:
                name = f"{name} ({number})"
            check = check_of(section, CODES[kind], name, keys, is_required=keys.required is not False)
            yield Asked(kind, replace(check, host=place.host), place, keys, is_named=True)


def check_of(section: VerifySection, code: str, name: str, keys: CheckKeys, *, is_required: bool) -> Check:
    """Return the check with the limits that the configuration gives it."""
    limit_s = keys.timeout if keys.timeout is not None else section.timeout
    retries = keys.retries if keys.retries is not None else section.retries
    return Check(code, name, is_required=is_required, limit_s=float(limit_s), retries=retries)
