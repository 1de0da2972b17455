"""The phased way to do a change without breaking the release that serves, for each class of operation.

Each has a page of the same name in `docs/reference/migrations/`. `{model}`, `{field}`, `{it}` (`Model.field`),
`{other}` and `{app}` are the user's own names.
"""

from __future__ import annotations

RECIPES: dict[str, tuple[str, ...]] = {
    "required-column": (
        "Give {it} a default in the database, `db_default=…` (Django 5.0), instead of `default=`: rows of the old release then get it.",
        "Keep that default until no release without {field} can come back; then drop it in a migration of its own.",
        "For a computed value: add {field} with null=True, let the new code write it, fill the old rows in batches, and make it NOT NULL one release later.",
    ),
    "remove-column": (
        "Release N: stop using {it}, make it null=True or give it a db_default, and take it out of the state only: SeparateDatabaseAndState(state_operations=[RemoveField(...)]).",
        "Release N+1, once no release that names {field} can come back: drop the column with SeparateDatabaseAndState(database_operations=[...]).",
    ),
    "remove-model": (
        "Release N: stop using {model}, drop its foreign keys in the database, and take it out of the state only: SeparateDatabaseAndState(state_operations=[DeleteModel(...)]).",
        "Release N+1, once no release that names {model} can come back: drop the table.",
    ),
    "rename": (
        "Rename in Python only and keep the database's name: db_column=… on the field, db_table=… in Meta of {model} (with an automatic many-to-many field: give it an explicit `through` first).",
        "A real rename is four releases: new column, write both, fill the old rows, read the new one, then remove {it} as a column is removed.",
    ),
    "new-index": (
        "Put the index into a migration of its own with `atomic = False` and AddIndexConcurrently (PostgreSQL).",
        "For a field with db_index=True or a foreign key: first db_index=False, then a concurrent index on {model}.",
    ),
    "unique": (
        "Remove the values of {it} that occur twice, and let the code that serves stop making them.",
        "Build a unique index concurrently, in a migration of its own with `atomic = False`.",
        "Attach it: ALTER TABLE … ADD CONSTRAINT … UNIQUE USING INDEX …, as RunSQL with the state operation.",
    ),
    "foreign-key": (
        "Add {it} with null=True, db_constraint=False and db_index=False.",
        "Build its index concurrently, in a migration of its own.",
        "Add the constraint NOT VALID by RunSQL with the state operation; validate it alone, later.",
    ),
    "not-null": (
        "Release N: no code writes NULL into {it} any more; fill the rows that have it, in batches.",
        "Release N+1, in migrations of their own: AddConstraintNotValid({field} is not null), ValidateConstraint, AlterField without a default, RemoveConstraint.",
    ),
    "nullable": ("First ship code that bears None in {it}; make the column nullable one release later.",),
    "new-relation": (
        "Give {it} db_constraint=False for one release, or accept that the old release cannot delete {other} rows that are referred to.",
        "From Django 6.1: on_delete=models.DB_CASCADE or DB_SET_NULL, where that is what you mean; the database then does it for every release.",
    ),
    "type-change": (
        "Add a new column beside {it} and write both.",
        "Fill the old rows in batches; read the new column.",
        "Remove the old one as a column is removed.",
    ),
    "check": (
        "Let the code that serves obey the rule for {it} first.",
        "AddConstraintNotValid; later and alone: ValidateConstraint.",
    ),
    "database-default": ("Keep the db_default of {it} for one more release; drop it when no code relies on it.",),
    "computed-column": (
        "Use a view, or add {it} with null=True and fill it in batches; then make it NOT NULL one release later.",
    ),
    "data": (
        "Make a large change of rows a command or a task that can be resumed, not a migration.",
        "When the old code works on the changed rows, say so in the migration:"
        ' shipway = {{"old_code": "ok", "rollback": "allowed", "reason": "…"}}.',
    ),
    "sql": (
        "Say in the migration what its SQL means to the old code:"
        ' shipway = {{"old_code": "ok", "rollback": "allowed", "reason": "…"}}.',
        "Where it changes columns, use Django's operations, or RunSQL with state_operations.",
    ),
    "one-operation": (
        "One operation that stands outside a transaction per migration, so that a failure leaves nothing",
    ),
}

OF_PROBLEM: dict[str, str] = {
    "table_missing": "remove-model",
    "column_missing": "remove-column",
    "table_replaced": "rename",
    "column_replaced": "rename",
    "column_unfilled": "required-column",
    "type_widened": "type-change",
    "type_narrowed": "type-change",
    "type_retyped": "type-change",
    "null_forbidden": "not-null",
    "null_allowed": "nullable",
    "default_gone": "database-default",
    "identity_gone": "type-change",
    "became_generated": "type-change",
    "generation_gone": "type-change",
    "reference_gone": "foreign-key",
    "reference_moved": "type-change",
    "reference_added": "foreign-key",
    "new_reference": "new-relation",
    "unique_added": "unique",
    "unique_unfilled": "unique",
    "unique_gone": "unique",
    "check_added": "check",
    "check_unfilled": "check",
    "check_gone": "check",
    "exclusion_added": "check",
    "collation_changed": "type-change",
}
OF_EFFECT: dict[str, str] = {
    "drop_table": "remove-model",
    "drop_relation": "remove-model",
    "rename_table": "rename",
    "rename_column": "rename",
    "drop_column": "remove-column",
    "add_required_column": "required-column",
    "add_filled_column": "required-column",
    "add_indexed_column": "new-index",
    "add_index": "new-index",
    "add_index_concurrently": "new-index",
    "concurrent_in_transaction": "new-index",
    "drop_index": "new-index",
    "add_unique_column": "unique",
    "add_unique": "unique",
    "drop_unique": "unique",
    "add_foreign_key": "foreign-key",
    "add_reference": "foreign-key",
    "move_foreign_key": "type-change",
    "change_on_delete": "foreign-key",
    "create_child": "new-relation",
    "create_relation": "new-relation",
    "add_checked_column": "check",
    "add_check": "check",
    "add_not_valid": "check",
    "add_exclusion": "check",
    "validate": "check",
    "drop_check": "check",
    "add_volatile_default": "computed-column",
    "generated_stored": "computed-column",
    "type_widened": "type-change",
    "type_narrowed": "type-change",
    "type_retyped": "type-change",
    "change_origin": "type-change",
    "change_collation": "type-change",
    "set_not_null": "not-null",
    "drop_not_null": "nullable",
    "drop_default": "database-default",
    "run_python": "data",
    "run_sql_rows": "data",
    "truncate": "data",
    "run_sql_unknown": "sql",
    "unknown_operation": "sql",
}


def render_recipe(name: str, *, model: str, field: str, other: str, app: str) -> tuple[str, ...]:
    """Return the steps of a recipe in the user's own names."""
    it = f"{model}.{field}" if field else model
    return tuple(step.format(model=model, field=field or model, it=it, other=other, app=app) for step in RECIPES[name])
