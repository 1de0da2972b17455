"""What every check under `verify:` may say, and how a section is switched on and off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from shipway.config.keys import OneOf, Section, key
from shipway.config.kinds import Boolean, Integer, Kind

MOST_RETRIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckKeys:
    """What every check may say."""

    required: bool | None = key(
        Boolean(),
        "Whether a failure turns a deploy back; otherwise it is only told.",
        default="true for what the file names",
    )
    timeout: int | None = key(
        Integer(least=1, unit="s"),
        "Seconds that one request of it, or one question, may take.",
        default="`verify/timeout`",
    )
    retries: int | None = key(
        Integer(least=0, most=MOST_RETRIES), "How often it is tried again.", default="`verify/retries`"
    )


Keys = TypeVar("Keys", bound=CheckKeys)


def switched(model: type[CheckKeys]) -> Kind:
    """Return the kind of a check that may be `true`, `false`, or a map with its keys."""
    return OneOf((Boolean(), Section(model)))


def setting(model: type[Keys], written: Keys | bool | None) -> Keys | None:  # noqa: FBT001  a value of the file
    """Return the keys of a check that is on, None for one that is switched off (`false`).

    What the file names (`true`, or a map) is required unless it says otherwise; what it does not name is not marked
    (`required` is None), so that its table decides.
    """
    match written:
        case False:
            return None
        case None:
            return model()
        case True:
            return model(required=True)
        case _ if written.required is None:
            import dataclasses

            return dataclasses.replace(written, required=True)
        case _:
            return written
