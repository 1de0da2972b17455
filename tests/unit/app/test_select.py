"""Which names a list with globs means."""

import pytest

from shipway.app.select import select
from shipway.core.errors import UsageError

HOSTS = ("web-1", "web-2", "db")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ((), HOSTS),
        (("db",), ("db",)),
        (("web-*",), ("web-1", "web-2")),
        (("db", "web-2"), ("web-2", "db")),
        (("*", "db"), HOSTS),
    ],
)
def test_patterns_choose_in_the_order_of_the_configuration(
    patterns: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert select(patterns, HOSTS, "host") == expected


def test_a_pattern_without_a_match_names_what_there_is() -> None:
    with pytest.raises(UsageError) as caught:
        select(("web-1", "wbe-*"), HOSTS, "host")
    assert "wbe-*" in caught.value.what
    assert "web-1, web-2, db" in caught.value.next
    assert caught.value.exit_code == 2
