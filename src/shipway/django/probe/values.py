"""Values for the fields of models: an ordinary one for each row, and the extremes that a field allows."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from typing import Any

LONG_TEXT = 3_000
INTEGERS = ("IntegerField", "BigIntegerField", "SmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField",
            "PositiveSmallIntegerField")  # fmt: skip


class NoValue(Exception):
    """No value is known for a field of this kind."""


def plain(field: Any, number: int, connection: Any) -> Any:
    """Return an ordinary value of a field that is no relation, another one for each `number`. Raises NoValue."""
    if field.choices and not field.unique:
        return first_choice(field.choices)
    kind = field.get_internal_type()
    if kind in INTEGERS:
        return number
    if kind in ("CharField", "TextField", "SlugField", "FileField", "ImageField", "FilePathField"):
        return text(field, number)
    make = MAKERS.get(kind)
    if make is not None:
        return make(field, number)
    return rare(field, kind, number, connection)


def first_choice(choices: Any) -> Any:
    """Return the first value of choices, which may stand in groups."""
    for value, label in choices:
        if isinstance(label, (list, tuple)):
            return label[0][0]
        if value not in (None, ""):
            return value
    return None


def text(field: Any, number: int) -> str:
    """Return a short text that looks like what the field's class is for."""
    name = type(field).__name__
    word = f"r{number}"
    if "Email" in name:
        word += "@x.de"
    elif "URL" in name:
        word = f"http://x.de/{number}"
    return word[: field.max_length] if field.max_length and len(word) > field.max_length else word


def moment(number: int) -> Any:
    """Return a point in time, aware where the project's are."""
    from django.conf import settings

    zone = dt.timezone.utc if settings.USE_TZ else None
    return dt.datetime(2024, 1, 1 + number % 28, 12, 34, 56, number % 1_000_000, tzinfo=zone)


def fraction(field: Any, number: int) -> Any:
    """Return a decimal number with as many places as the field has."""
    places = field.decimal_places or 0
    whole = max(1, (field.max_digits or 9) - places)
    return decimal.Decimal(number % 10**whole) + (decimal.Decimal(7).scaleb(-places) if places else 0)


MAKERS: dict[str, Any] = {
    "BooleanField": lambda _, number: number % 2 == 0,
    "NullBooleanField": lambda _, number: number % 2 == 0,
    "FloatField": lambda _, number: number + 0.5,
    "DecimalField": fraction,
    "DateField": lambda _, number: dt.date(2024, 1, 1 + number % 28),
    "DateTimeField": lambda _, number: moment(number),
    "TimeField": lambda _, number: dt.time(number % 24, 34, 56),
    "DurationField": lambda _, number: dt.timedelta(hours=number),
    "UUIDField": lambda _, number: uuid.UUID(int=(7 << 100) + number),
    "JSONField": lambda _, number: {"a": number},
    "BinaryField": lambda _, number: b"r%d" % number,
    "GenericIPAddressField": lambda _, number: f"10.0.{number // 250 % 250}.{1 + number % 250}",
}


def rare(  # noqa: PLR0911  a table of kinds
    field: Any, kind: str, number: int, connection: Any
) -> Any:
    """Return a value of a field that only some projects have: PostgreSQL's own, and those of packages."""
    base = getattr(field, "base_field", None)
    if kind == "ArrayField" and base is not None:
        return [plain(base, number, connection)]
    if kind == "HStoreField":
        return {"a": str(number)}
    if kind.endswith("RangeField"):
        low, high = (plain(field.base_field(), n, connection) for n in (number % 20, number % 20 + 1))
        return field.range_type(low, high)
    if field.has_default():
        return field.get_default()
    if field.null:
        return None
    type_of = str(field.db_type(connection) or "")
    if type_of.startswith(("varchar", "text", "char", "longtext", "citext")):
        return text(field, number)
    if type_of.startswith(("int", "bigint", "smallint")):
        return number
    raise NoValue(f"no value is known for {field.name} ({type(field).__name__})")


def extremes(field: Any, shape: str, number: int, connection: Any) -> Any:
    """Return the longest, largest or smallest value that a field allows, None where it has none of that kind.

    A longest text is another one for each `number`.
    """
    kind = field.get_internal_type()
    if field.choices or field.unique or field.remote_field is not None:
        return None
    if shape.endswith("longest"):
        is_plain = type(field).__name__ in ("CharField", "SlugField", "TextField")
        return f"{number}".ljust(field.max_length or LONG_TEXT, "y") if is_plain else None
    largest = shape.endswith("largest")
    if kind in INTEGERS:
        low, high = connection.ops.integer_field_range(kind)
        return high if largest else low
    if kind == "DecimalField" and field.max_digits is not None:
        value = decimal.Decimal(10**field.max_digits - 1).scaleb(-field.decimal_places)
        return value if largest else -value
    if kind == "FloatField":
        return 1e30 if largest else -1e30
    return None


def told(value: Any) -> Any:
    """Return a value in a form that JSON can carry and that can be compared."""
    if isinstance(value, memoryview):
        value = bytes(value)
    if isinstance(value, decimal.Decimal):
        return f"{value.normalize():f}"
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True, default=str)[:500]
    return str(value)[:500]
