"""What is verified, in the lines that a plan shows."""

from __future__ import annotations

from collections.abc import Iterator

from shipway.config.model import Config
from shipway.config.verify import VerifySection
from shipway.verification.defaults import Asked, outside_checks
from shipway.verification.place import places_of

INSIDE = ("database", "cache", "email", "storage", "media", "secure", "workers", "scheduler", "restarts", "logs")
"""The keys of checks that are asked in the release."""
_FAILURE = {
    "rollback": "a required check that fails: back to what served",
    "hold": "a required check that fails: everything stays as it is until somebody decides",
    "ask": "a required check that fails: somebody at the terminal is asked, and without one everything stays as it is",
}


def words_of(config: Config) -> tuple[str, ...]:
    """Return the lines; () where nothing is verified."""
    if config.verify is None:
        return ()
    lines = [*_outside(config, config.verify), *_inside(config, config.verify)]
    if watch_s := config.release.watch:
        lines.append(f"then errors, response times and restarts are watched for {watch_s} s")
    return (*lines, _FAILURE[config.release.on_failure]) if lines else ()


def _outside(config: Config, section: VerifySection) -> Iterator[str]:
    asked = tuple(outside_checks(section, places_of(config)))
    names: dict[str, list[Asked]] = {}
    for one in asked:
        names.setdefault(one.place.name, []).append(one)
    for name, found in names.items():
        hosts = ", ".join(dict.fromkeys(one.place.host for one in found))
        kinds = dict.fromkeys(
            one.kind + ("" if one.check.name == name else f" {one.check.name}") + ("" if one.check.is_required else "*")
            for one in found
        )
        optional = " (* is only told)" if any(not one.check.is_required for one in found) else ""
        yield f"through {name} on {hosts}: {', '.join(kinds)}{optional}"


def _inside(config: Config, section: VerifySection) -> Iterator[str]:
    kinds = {role.kind for role in config.roles}
    makes_sense = {"workers": "worker" in kinds, "scheduler": "scheduler" in kinds, "secure": "web" in kinds}
    found = [
        name
        for name in INSIDE
        if getattr(section, name) is not False
        and (section.defaults or getattr(section, name) is not None)
        and makes_sense.get(name, True)
    ]
    if found:
        yield f"in the release: {', '.join(found)}"
