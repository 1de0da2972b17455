from __future__ import annotations

import json
import os
import pathlib

import pytest

from tests.unit.proxies.caddy.cases import CASES, caddy

GOLDEN = pathlib.Path(__file__).parents[3] / "golden" / "caddy"


@pytest.mark.parametrize("name", CASES)
def test_the_site_file_is_the_one_that_was_reviewed(name: str) -> None:
    """Run with SHIPWAY_UPDATE_GOLDEN=1 to write the files anew, and read the diff."""
    file = GOLDEN / f"{name}.json"
    if os.environ.get("SHIPWAY_UPDATE_GOLDEN"):
        file.write_text(caddy(name).site_text)
    assert caddy(name).site_text == file.read_text()


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(CASES)


def entries(name: str) -> list[tuple[str, str, str]]:
    found = json.loads(caddy(name).site_text)["entries"]
    return [(entry["server"], ",".join(entry["hosts"]), entry["prefix"]) for entry in found]


def test_a_plain_site_claims_the_plain_listener_only() -> None:
    assert entries("plain") == [("http", "", "")]


def test_a_site_with_tls_claims_both() -> None:
    assert entries("internal") == [("http", "shop.example", ""), ("https", "shop.example", "")]


def test_every_prefix_is_a_claim_of_its_own() -> None:
    both = "shop.example,*.shop.example"
    assert [entry for entry in entries("full") if entry[0] == "https"] == [
        ("https", both, "/static"),
        ("https", both, "/media"),
        ("https", "shop.example", ""),
        ("https", both, "/api"),
        ("https", both, "/v2"),
    ]
