"""One sentence for each thing that an operation does to the database. `{it}` is `Model.field`."""

from __future__ import annotations

from shipway.migrations.effect import Effect
from shipway.migrations.names import Names

EFFECTS: dict[str, str] = {
    "create_table": "a table that the old release does not know cannot disturb it",
    "create_child": "the new table {model} refers to {other}, which is locked for a moment",
    "create_relation": "the new join table of {model} refers to tables that are locked for a moment",
    "drop_table": "the table of {model} and its rows are deleted",
    "drop_relation": "the join table of {model} and its rows are deleted",
    "rename_table": "the table of {model} gets another name",
    "add_column": "the new column {it} may be left out of an INSERT",
    "add_filled_column": "rows of the old release have NULL in {it}, not the Python default: the new code must bear it",
    "add_required_column": "the new column {it} must have a value",
    "add_indexed_column": "{model} stays locked while the index of {it} is built",
    "add_unique_column": "{model} stays locked while the unique index of {it} is built",
    "add_foreign_key": "{model} and {other} are locked while {it} gets its foreign key and index",
    "add_checked_column": "{model} is locked and scanned for the check of {it}",
    "add_volatile_default": "{model} is locked and rewritten: each row gets a value of its own in {it}",
    "generated_stored": "{model} is locked and rewritten: {it} is computed for each row",
    "generated_virtual": "{it} is computed when it is read",
    "drop_column": "the column {it} and its values are deleted",
    "rename_column": "the column of {it} gets another name",
    "type_widened": "{it} holds more than before",
    "type_narrowed": "{it} holds less than before",
    "type_retyped": "{it} gets another type",
    "type_same": "{it} gets a type that holds the same",
    "set_not_null": "{model} is locked and scanned, because {it} becomes NOT NULL",
    "drop_not_null": "{it} may be NULL now",
    "set_default": "{it} gets a default in the database",
    "drop_default": "{it} loses its default in the database",
    "change_origin": "what gives {it} its value is another",
    "add_index": "{model} cannot be written to while the index is built",
    "add_index_concurrently": "the index is built beside reads and writes; cut short, it leaves an invalid index",
    "concurrent_in_transaction": "a concurrent index build fails inside the transaction of an atomic migration",
    "drop_index": "queries on {it} may become slow",
    "rename_index": "an index gets another name",
    "add_unique": "{model} is locked while the unique index is built",
    "drop_unique": "values of {it} may occur twice now",
    "add_check": "{model} is locked while all rows are checked",
    "add_not_valid": "new rows are checked from now on, those that are there are not",
    "add_exclusion": "{model} is locked while the exclusion is built",
    "validate": "all rows of {model} are checked while reads and writes go on",
    "drop_check": "values of {it} that were forbidden are possible now",
    "unsupported_rule": "this database has no such constraint: Django makes nothing, and nothing is enforced",
    "add_reference": "{model} and {other} are locked while every {it} is looked up",
    "move_foreign_key": "{it} refers to another table",
    "drop_reference": "nothing guards {it} any more",
    "change_on_delete": "the foreign key {it} is made anew and every row is looked up",
    "change_collation": "{it} sorts and compares otherwise",
    "comment": "only a comment changes",
    "rebuild": "SQLite copies the whole table of {model} while nobody else can write",
    "quiet": "no table changes",
    "run_python": "Python code changes rows: what the old code's queries find may change",
    "run_sql_rows": "SQL changes rows ({name}): what the old code's queries find may change",
    "run_sql_unknown": "nobody can tell from here what this SQL does ({name})",
    "truncate": "every row of {model} is deleted",
    "unknown_operation": "nobody can tell from here what {name} does",
}


def effect_sentence(effect: Effect, names: Names) -> str:
    """Return what happens, without a full stop."""
    text = EFFECTS[effect.slug]
    if effect.slug.startswith("type_") and any(lock.is_long for lock in effect.locks):
        text += ", and the whole table of {model} is written anew meanwhile"
    return text.format(
        it=names.both(effect.table, effect.name),
        model=names.model(effect.table),
        other=names.model(effect.other) if effect.other else "the table that it refers to",
        name=effect.name.upper() if effect.slug.startswith("run_sql") else effect.name,
    )
