"""One sentence for each way in which a schema does not suit the old release. `{it}` is `Model.field`."""

from __future__ import annotations

from shipway.migrations.compat import Problem
from shipway.migrations.names import Names

PROBLEMS: dict[str, str] = {
    "table_missing": "the old release reads and writes {model}, whose table is gone",
    "column_missing": "the old release names {it} in every SELECT and INSERT, and the column is gone",
    "table_replaced": "the old release finds another table under the name of {model}; its own rows stand elsewhere",
    "column_replaced": "the old release finds another column under the name of {it}; its own values stand elsewhere",
    "column_unfilled": "INSERTs of the old release do not name {it}, which is NOT NULL without a database default",
    "type_widened": "the old release may read values of {it} that its own type does not hold ({detail})",
    "type_narrowed": "values that the old release may write into {it} are refused ({detail})",
    "type_retyped": "the old release treats {it} as another type than the column now has ({detail})",
    "null_forbidden": "the old release may write NULL into {it}, which is refused",
    "null_allowed": "the old release may read None from {it}, which it does not expect",
    "default_gone": "the old release leaves {it} to a database default that is gone",
    "identity_gone": "the old release leaves the number of {it} to the database, which does not give one any more",
    "became_generated": "the old release writes {it}, which the database now computes",
    "generation_gone": "the old release never writes {it}, which the database does not compute any more",
    "reference_gone": "nothing guards the reference {it} any more: the old release may meet rows that refer to nothing",
    "reference_moved": "{it} refers to {other} now, where the old release has keys of another table",
    "reference_added": "values of {it} without a row in {other}, which the old release may write, are refused",
    "new_reference": "the old release does not know {it}: its deletes of {other} rows that are referred to fail",
    "unique_added": "values of {it} that occur twice, which the old release may write, are refused",
    "unique_unfilled": "every row that the old release inserts has the same {it}, which must be unique",
    "unique_gone": "values of {it} may occur twice now, and upserts of the old release on it fail",
    "check_added": "values of {it} that the new check forbids, which the old release may write, are refused",
    "check_unfilled": "INSERTs of the old release leave {it} empty, which a check forbids",
    "check_gone": "the old release may meet values of {it} that its check forbade",
    "exclusion_added": "rows of {model} that exclude each other, which the old release may write, are refused",
    "collation_changed": "{it} sorts and compares otherwise than the old release expects",
}


def problem_sentence(problem: Problem, names: Names) -> str:
    """Return what is wrong, without a full stop."""
    return PROBLEMS[problem.slug].format(
        it=names.both(problem.table, problem.name),
        model=names.model(problem.table),
        other=names.model(problem.other) if problem.other else "another table",
        detail=problem.detail,
    )


NEW_CODE = {
    "column_unfilled": "the new release itself cannot insert {model} rows: {it} stays in the database, NOT NULL and"
    " without a default",
    "new_reference": "deletes of {other} rows in the new release fail: {it} still refers to them in the database",
}
"""What a problem means when it is the new release that has it, on the schema that its own migration leaves."""


def new_code_sentence(problem: Problem, names: Names) -> str:
    """Return what is wrong for the new release, without a full stop."""
    text = NEW_CODE.get(problem.slug, "the new release itself does not suit this schema: {it}")
    other = names.model(problem.other) if problem.other else ""
    return text.format(
        it=names.both(problem.table, problem.name), model=names.model(problem.table), other=other, detail=""
    )
