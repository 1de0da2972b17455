"""Times of a schedule as cron writes them: five fields, or a name such as `@daily`. See crontab(5) and POSIX.

What Debian's cron reads is read here, and nothing else: no seconds, no `L`, `W`, `#` or `?`, no `@reboot`. A day counts
when the day of the month and the day of the week both fit; where both are restricted (neither begins with `*`), one of
them is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

NAMES: Mapping[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(\*|[0-9]{1,4}|[a-z]{3})(?:-([0-9]{1,4}|[a-z]{3}))?(?:/([0-9]{1,4}))?")
_YEARS = 8
"""Between two 29ths of February there can be eight years (1896 to 1904)."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five: its name for a person, its first and last number, and the names that stand for numbers."""

    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()
    base: int = 0


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("day of the week", 0, 7, _DAYS),
)
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Cron:
    """The times of one job: minutes, hours, days and months as sets, Sunday as 0.

    `text` is what was written, as five fields. `any_day`: one of the two kinds of days is enough.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool = False

    def has_day(self, when: datetime) -> bool:
        """Return whether the job runs on the day of `when`."""
        if when.month not in self.months:
            return False
        fits = (when.day in self.days, when.isoweekday() % 7 in self.weekdays)
        return any(fits) if self.any_day else all(fits)


def parse_cron(text: str) -> Cron:
    """Return the times that `text` means. Raises ValueError with what is wrong, as the end of a sentence."""
    line = text.strip().lower()
    if line.startswith("@"):
        if line not in NAMES:
            known = ", ".join(NAMES)
            raise ValueError(f"has no `{text.strip()}`; there are {known}")
        line = NAMES[line]
    fields = line.split()
    if len(fields) != len(_FIELDS):
        seconds = ": cron has no seconds" if len(fields) > len(_FIELDS) else ""
        raise ValueError(f"should have five fields (minute hour day month weekday), not {len(fields)}{seconds}")
    sets = [_numbers(part, field) for part, field in zip(fields, _FIELDS, strict=True)]
    weekdays = frozenset(day % 7 for day in sets[4])
    any_day = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not any_day and not any(day <= _MONTH_DAYS[month - 1] for day, month in product(sets[2], sets[3])):
        raise ValueError(f"never comes: no month of `{fields[3]}` has a day `{fields[2]}`")
    return Cron(" ".join(fields), sets[0], sets[1], sets[2], sets[3], weekdays, any_day)


def _numbers(text: str, field: _Field) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        found.update(_part(part, field))
    return frozenset(found)


def _part(part: str, field: _Field) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"has `{part}` as the {field.name}: write a number, a range `1-5`, a list `1,3` or `*/15`")
    begin, end, step = match.groups()
    if begin == "*":
        if end is not None:
            raise ValueError(f"has `{part}` as the {field.name}: `*` is every one already")
        first, last = field.first, field.last
        if field.last == len(_DAYS):  # Sunday is both 0 and 7
            last -= 1
    else:
        first = _number(begin, field)
        if end is None and step is not None:
            raise ValueError(
                f"has `{part}` as the {field.name}: a step needs a range, such as `{begin}-{field.last}/{step}`"
            )
        last = first if end is None else _number(end, field)
    if first > last:
        raise ValueError(f"has `{part}` as the {field.name}: {begin} comes after {end}")
    width = int(step) if step is not None else 1
    if not 1 <= width <= field.last:
        raise ValueError(f"has `{part}` as the {field.name}: a step is from 1 to {field.last}")
    return range(first, last + 1, width)


def _number(text: str, field: _Field) -> int:
    if text.isdigit():
        if field.first <= int(text) <= field.last:
            return int(text)
        raise ValueError(f"has `{text}` as the {field.name}: it is from {field.first} to {field.last}")
    if text in field.words:
        return field.words.index(text) + field.base
    names = f"; names are {', '.join(field.words)}" if field.words else ""
    raise ValueError(f"has `{text}` as the {field.name}: it is from {field.first} to {field.last}{names}")


def next_after(cron: Cron, after: datetime) -> datetime | None:
    """Return the first time after `after` in its own time zone, in UTC; None when none comes in eight years.

    A time that a change of clocks leaves out comes an hour later, as systemd has it; one that comes twice, once.
    """
    zone = after.tzinfo
    if zone is None:
        raise ValueError("a time without its zone")
    day = after.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    limit = day + timedelta(days=366 * _YEARS)
    while day <= limit:
        if cron.has_day(day):
            for hour, minute in _times(cron):
                found = day.replace(hour=hour, minute=minute, tzinfo=zone).astimezone(UTC)
                if found > after.astimezone(UTC):
                    return found
        day += timedelta(days=1)
    return None


def _times(cron: Cron) -> Iterator[tuple[int, int]]:
    yield from product(sorted(cron.hours), sorted(cron.minutes))


def calendars(cron: Cron, zone: str) -> tuple[str, ...]:
    """Return the times as systemd's `OnCalendar=` has them (systemd.time(7)), in `zone`; any of them counts."""
    clock = f"{_listed(cron.hours, 24)}:{_listed(cron.minutes, 60)}:00 {zone}"
    months = "*" if len(cron.months) == len(_MONTHS) else _listed(cron.months, 0)
    days = "*" if len(cron.days) == max(_MONTH_DAYS) else _listed(cron.days, 0)
    names = "" if len(cron.weekdays) == len(_DAYS) else ",".join(_DAYS[n].title() for n in sorted(cron.weekdays)) + " "
    if cron.any_day:
        return (f"*-{months}-{days} {clock}", f"{names}*-{months}-* {clock}")
    return (f"{names}*-{months}-{days} {clock}",)


def _listed(numbers: frozenset[int], full: int) -> str:
    return "*" if len(numbers) == full else ",".join(f"{number:02d}" for number in sorted(numbers))
