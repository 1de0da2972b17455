"""What a release does with its models: list, find, create, update, delete, and what it may legitimately write.

Each is tried in a transaction that is rolled back; what the database says against it is kept in its own words.
"""

from __future__ import annotations

import decimal
import hashlib
from typing import Any

from shipway.django.probe.rows import build, distinct, extend, insert, label_of, models_of
from shipway.django.probe.values import INTEGERS, NoValue, told

SEEDS = 3
SEEN = 50
WRITTEN_SHAPES = ("linked", "linked nulls", "linked longest", "linked largest")
SEED_NUMBERS = range(1, 10)
TRIAL_NUMBERS = (50, 51, 52, 53, 4, 5, 6, 7, 8, 2, 1, 0)
WRITTEN_NUMBERS = (70, 71, 10, 11, 12, 13)
"""Tried in this order: other rows may have the value, or a check may forbid it."""


class Exercise:
    """One release and one database. `known` has the rows that were there first: {label: {key: {field: digest}}}."""

    def __init__(self, connection: Any, known: dict[str, Any]) -> None:
        self.connection, self.known = connection, known
        self.models = models_of(connection.alias)

    def seed(self) -> dict[str, str]:
        """Insert some rows of each model that has too few. Returns {label: why not}."""
        failed: dict[str, str] = {}
        for model in self.models:
            failed.update(self.seed_one(model))
        return failed

    def seed_one(self, model: Any) -> dict[str, str]:
        """Insert rows of one model; several numbers are tried, since combinations may be taken or forbidden."""
        error = ""
        try:
            there = min(SEEDS, model._base_manager.using(self.connection.alias).count())
        except Exception as problem:
            return {label_of(model): words(problem)}
        for number in SEED_NUMBERS:
            if there >= SEEDS:
                return {}
            error = self.commit(model, number, "plain")
            there += not error
        return {label_of(model): error} if not there else {}

    def commit(self, model: Any, number: int, shape: str) -> str:
        """Insert a row to stay. Returns the error, "" when there is none."""
        return self.attempt(lambda: insert(build(model, number, self.connection, shape), self.connection))

    def attempt(self, do: Any) -> str:
        """Do something that stays. Returns the error, "" when there is none."""
        from django.db import transaction

        try:
            with transaction.atomic(using=self.connection.alias):
                do()
        except Exception as error:
            return words(error)
        return ""

    def write(self) -> None:
        """Insert the rows that the other release shall meet: linked to its own, with NULLs, with long values."""
        for model in self.models:
            self.attempt(lambda model=model: extend(model, WRITTEN_NUMBERS[0], self.connection))
            for place, shape in enumerate(WRITTEN_SHAPES):
                numbers = (number + 20 * place for number in WRITTEN_NUMBERS)
                any(not self.commit(model, number, shape) for number in numbers)

    def snapshot(self) -> dict[str, Any]:
        """Return {label: {key: {field: digest}}} of the first rows of each model."""
        found = {}
        for model in self.models:
            try:
                rows = list(model._base_manager.using(self.connection.alias).order_by("pk")[:SEEDS])
            except Exception:
                continue
            found[label_of(model)] = {str(told(one.pk)): digests(one) for one in rows}
        return found

    def try_all(self, *, everything: bool = True) -> dict[str, dict[str, str]]:
        """Return {label: {action: error}} for each model; "" is what worked."""
        return {label_of(model): self.try_model(model, everything=everything) for model in self.models}

    def try_model(self, model: Any, *, everything: bool) -> dict[str, str]:
        """Try what a release does with one model."""
        actions = {
            "list": lambda: self.list(model),
            "find": lambda: self.find(model),
            "create": lambda: self.create(model, "plain"),
            "update": lambda: self.update(model),
            "delete": lambda: self.delete(model, -1),
        }
        if everything:
            actions["delete a row that new rows refer to"] = lambda: self.delete(model, 0)
            actions["create with NULLs"] = lambda: self.create(model, "nulls")
            actions["create with the longest text"] = lambda: self.create(model, "longest")
            actions["create with the largest numbers"] = lambda: self.create(model, "largest")
            actions["create with the smallest numbers"] = lambda: self.create(model, "smallest")
            actions["create two alike"] = lambda: self.alike(model)
            actions["refer to nothing"] = lambda: self.dangle(model)
            actions["find in JSON"] = lambda: self.find_inside(model)
        return {name: self.trial(do) for name, do in actions.items()}

    def trial(self, do: Any) -> str:
        """Do something and undo it. Returns the error, "" when there is none."""
        from django.db import transaction

        try:
            with transaction.atomic(using=self.connection.alias):
                do()
                if self.connection.vendor != "mysql":
                    self.connection.check_constraints()
                transaction.set_rollback(True, using=self.connection.alias)
        except Exception as error:
            return words(error)
        return ""

    def rows(self, model: Any) -> Any:
        """Return the query of all rows."""
        return model._base_manager.using(self.connection.alias).order_by("pk")

    def own(self, model: Any, index: int) -> Any:
        """Return one of the rows that were there first, or, where there is none, any."""
        keys = list(self.known.get(label_of(model), ()))
        found = self.rows(model).filter(pk=keys[index]).first() if keys else self.rows(model).first()
        if found is None:
            raise LookupError("a row that was there is gone" if keys else "no row could be made")
        return found

    def list(self, model: Any) -> None:
        """Read all columns of rows."""
        for one in self.rows(model)[:SEEN]:
            digests(one)

    def find(self, model: Any) -> None:
        """Ask for a row by the value of each field."""
        one = self.own(model, -1)
        for field in model._meta.concrete_fields:
            value = getattr(one, field.attname)
            if value is not None and field.get_internal_type() not in ("JSONField", "BinaryField"):
                self.rows(model).filter(**{field.attname: value}).exists()

    def find_inside(self, model: Any) -> None:
        """Ask for a key inside JSON values."""
        for field in model._meta.concrete_fields:
            if field.get_internal_type() == "JSONField":
                list(self.rows(model).filter(**{f"{field.name}__a": 1})[:1])

    def create(self, model: Any, shape: str) -> None:
        """Insert a row; where values are taken others are tried, and parents of its own. Raises what was met first."""
        from django.db import transaction

        first: Any = None
        tries = [(number, shape) for number in TRIAL_NUMBERS]
        for number, one in tries + ([(TRIAL_NUMBERS[0], "apart"), (4, "apart")] if shape == "plain" else []):
            try:
                with transaction.atomic(using=self.connection.alias):
                    insert(build(model, number, self.connection, one), self.connection)
            except NoValue:
                raise
            except Exception as error:
                first = first or error
                continue
            return
        raise first

    def update(self, model: Any) -> None:
        """Save a row as Django does: all columns."""
        from django.db.models import Model

        Model.save(self.own(model, -1), using=self.connection.alias)

    def delete(self, model: Any, index: int) -> None:
        """Delete a row as Django does, with what on_delete says in this release."""
        from django.db.models import Model

        Model.delete(self.own(model, index), using=self.connection.alias)

    def alike(self, model: Any) -> None:
        """Insert two rows that differ only where a unique constraint of this release asks for it."""
        first = build(model, 4, self.connection, "alike")
        insert(first, self.connection)
        second = build(model, 5, self.connection, "alike")
        for field in model._meta.concrete_fields:
            if field.remote_field is not None and field.name not in distinct(model):
                setattr(second, field.attname, getattr(first, field.attname))
        insert(second, self.connection)

    def dangle(self, model: Any) -> None:
        """Insert a row that refers to nothing, where this release has no constraint against it."""
        loose = [f for f in model._meta.concrete_fields if f.remote_field is not None and not f.db_constraint]
        if loose:
            one = build(model, 4, self.connection)
            for field in loose:
                if field.target_field.get_internal_type() in ("AutoField", "BigAutoField", "IntegerField"):
                    setattr(one, field.attname, 987_654)
            insert(one, self.connection)

    def changed(self) -> dict[str, dict[str, str]]:
        """Return {label: {field: what became of its values}} for the rows that were there first; "" is the row."""
        found: dict[str, dict[str, str]] = {}
        for model in self.models:
            for key, before in self.known.get(label_of(model), {}).items():
                try:
                    one = self.rows(model).filter(pk=key).first()
                except Exception:
                    break
                for field, what in difference(one, before).items():
                    found.setdefault(label_of(model), {})[field] = what
        return found

    def meets(self) -> dict[str, dict[str, str]]:
        """Return {label: {field: "NULL", "too long", "too large"}} for values that are not of these models."""
        found: dict[str, dict[str, str]] = {}
        for model in self.models:
            try:
                rows = list(self.rows(model).reverse()[:SEEN])
            except Exception:
                continue
            for field in model._meta.concrete_fields:
                values = (getattr(one, field.attname) for one in rows)
                what = {stranger(value, field, self.connection) for value in values} - {""}
                if what:
                    found.setdefault(label_of(model), {})[field.name] = min(what)
        return found


def stranger(value: Any, field: Any, connection: Any) -> str:
    """Return why a value is none of the field's, "" where it is."""
    if value is None:
        return "" if field.null or getattr(field, "generated", False) else "NULL"
    if isinstance(value, str):
        return "too long" if field.max_length is not None and len(value) > field.max_length else ""
    if isinstance(value, int) and field.get_internal_type() in INTEGERS:
        low, high = connection.ops.integer_field_range(field.get_internal_type())
        return "too large" if (high is not None and value > high) or (low is not None and value < low) else ""
    if isinstance(value, decimal.Decimal) and getattr(field, "max_digits", None) is not None:
        return "too large" if abs(value) >= 10 ** (field.max_digits - field.decimal_places) else ""
    return ""


def digests(one: Any) -> dict[str, str]:
    """Return a digest of each value of a row: what the rows hold is nobody's business."""
    found = {}
    for field in one._meta.concrete_fields:
        value = told(getattr(one, field.attname))
        found[field.attname] = "" if value is None else hashlib.sha256(repr(value).encode()).hexdigest()[:16]
    return found


def difference(one: Any, before: dict[str, str]) -> dict[str, str]:
    """Return {field: "lost" or "changed"} of a row; {"": "gone"} for one that is not there."""
    if one is None:
        return {"": "gone"}
    after = digests(one)
    return {
        name: "lost" if not after[name] else "changed"
        for name, digest in before.items()
        if name in after and after[name] != digest
    }


def words(error: BaseException) -> str:
    """Return the kind of an error and the first line of what it says: the further ones may hold a row's values."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:400]
