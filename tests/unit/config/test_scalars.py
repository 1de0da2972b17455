import pytest

from shipway.config.scalars import read_scalar

# What Ruby 3's Psych makes of them, unless a comment says otherwise.
SCALARS = [
    ("", None, "null"),
    ("~", None, "null"),
    ("NULL", None, "null"),
    ("yes", True, "boolean"),
    ("Off", False, "boolean"),
    ("y", "y", "string"),
    ("0", 0, "integer"),
    ("4321", 4321, "integer"),
    ("-7", -7, "integer"),
    ("0600", 384, "integer"),
    ("0o600", "0o600", "string"),
    ("089", "089", "string"),
    ("1_000", 1000, "integer"),
    ("1,000", 1000, "integer"),
    ("0x1F", 31, "integer"),
    ("0b101", 5, "integer"),
    ("22:22", 80520, "integer"),
    ("1:02:03", 3723, "integer"),
    ("3306:3306", "3306:3306", "string"),
    ("1.5", 1.5, "float"),
    (".5", 0.5, "float"),
    ("1.", 1.0, "float"),
    ("1e3", "1e3", "string"),
    (".inf", float("inf"), "float"),
    ("1.1.1.1", "1.1.1.1", "string"),
    ("2024-01-31", "2024-01-31", "date"),
    ("2024-01-31 10:00:00", "2024-01-31 10:00:00", "date"),
    ("2024-13-31", "2024-13-31", "string"),
    (":verbose", "verbose", "string"),
    (':"a b"', "a b", "string"),
    ("::1", "::1", "string"),  # Psych makes the symbol `:1` of an IPv6 address
    (":", ":", "string"),
    (".", ".", "string"),
    ("٣", "٣", "string"),
    ("9" * 50, "9" * 50, "string"),  # no number of anything in a configuration
]


@pytest.mark.parametrize(("text", "value", "kind"), SCALARS)
def test_scalars_mean_what_they_mean_to_kamal(text: str, value: object, kind: str) -> None:
    assert read_scalar(text) == (value, kind)
