"""Column types against each other."""

import pytest

from shipway.migrations.types import compare_types

PG, MY, LITE = "postgresql", "mariadb", "sqlite"
CASES = [
    ("varchar(60)", "varchar(60)", PG, None),
    ("varchar(60)", "character varying(60)", PG, None),
    ("timestamp with time zone", "timestamp with time zone", PG, None),
    ("", "integer", PG, None),
    ("integer", "bigint", PG, ("widened", "ok", "warn")),
    ("integer AUTO_INCREMENT", "bigint AUTO_INCREMENT", MY, ("widened", "ok", "warn")),
    ("bigint", "integer", LITE, None),
    ("integer", "integer UNSIGNED", MY, ("narrowed", "conditional", "warn")),
    ("varchar(10)", "text", PG, ("widened", "ok", "warn")),
    ("longtext", "varchar(255)", MY, ("narrowed", "conditional", "warn")),
    ("numeric(10, 2)", "numeric(12, 2)", PG, ("widened", "ok", "warn")),
    ("numeric(10, 2)", "numeric(10, 4)", PG, ("narrowed", "conditional", "warn")),
    ("numeric(10, 2)", "numeric(10, 0)", PG, ("narrowed", "conditional", "warn")),
    ("integer", "varchar(9)", PG, ("retyped", "breaks", "refused")),
    ("integer", "varchar(9)", MY, ("retyped", "conditional", "refused")),
    ("varchar(9)", "date", LITE, ("retyped", "conditional", "warn")),
    ("timestamp with time zone", "date", PG, ("retyped", "conditional", "refused")),
    ("datetime(6)", "date", MY, ("retyped", "breaks", "refused")),
    ("jsonb", "text", PG, ("retyped", "conditional", "refused")),
    ("boolean", "integer", PG, ("retyped", "breaks", "refused")),
    ("integer[]", "bigint[]", PG, ("retyped", "breaks", "refused")),
    ("vector(3)", "vector(3)", PG, None),
    ("char(32)", "uuid", MY, ("retyped", "breaks", "refused")),
]


@pytest.mark.parametrize(("old", "new", "vendor", "expected"), CASES)
def test_change(old: str, new: str, vendor: str, expected: tuple[str, str, str] | None) -> None:
    found = compare_types(old, new, vendor)
    assert (found and (found.slug, found.old_code, found.code_rollback)) == expected
