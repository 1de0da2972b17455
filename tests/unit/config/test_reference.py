from pathlib import Path

import pytest

from shipway.config.keys import keys_of
from shipway.config.reference import config_reference
from shipway.config.root import ROOT, SHIPWAY_KEYS, Root
from shipway.config.schema import config_schema, config_schema_text
from shipway.config.servers import ROLE

DOCS = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize(
    ("page", "text"), [("config.md", config_reference()), ("deploy.schema.json", config_schema_text())], ids=str
)
def test_the_pages_are_up_to_date(page: str, text: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == text, "run bin/docs"


@pytest.mark.parametrize("name", keys_of(Root))
def test_every_key_has_its_heading_and_description(name: str) -> None:
    assert f"\n### `{name}`" in config_reference()
    assert keys_of(Root)[name].doc.endswith(".")
    assert config_schema()["properties"][name]["description"]


def test_role_keys_have_headings() -> None:
    assert all(f"\n### `servers/<role>/{name}`\n" in config_reference() for name in keys_of(ROLE.model))


def test_own_keys_may_stand_in_their_own_section() -> None:
    assert set(config_schema()["properties"]["x-shipway"]["properties"]) == set(SHIPWAY_KEYS)
    assert ROOT.free == "x-"
