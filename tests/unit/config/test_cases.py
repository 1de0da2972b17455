"""Whole files and what they come to. A case is NAME.yml with NAME.json (and NAME.DEST.yml with NAME@DEST.json):
either a part of the summary, or `{"errors": [[where, text of the message], ...]}`."""

import json
from pathlib import Path

import pytest

from shipway.adapters.config_files import read_config_files
from shipway.config.erb_expression import ErbFacts
from shipway.config.load import load_config
from shipway.config.summary import summary
from shipway.core.errors import ConfigError
from tests.unit.config.expectations import part

HERE = Path(__file__).parent / "cases"
FACTS = ErbFacts({"HOST": "web-9"}, "arm64", "0123456789abcdef0123456789abcdef01234567")


@pytest.mark.parametrize("expected", sorted(HERE.glob("*.json")), ids=lambda path: path.stem)
def test_case(expected: Path) -> None:
    name, _, destination = expected.stem.partition("@")
    want = json.loads(expected.read_text())
    files = read_config_files(HERE, file=f"{name}.yml", destination=destination or None)
    try:
        config = load_config(files.texts, destination=destination or None, facts=FACTS, destinations=files.destinations)
    except ConfigError as error:
        found = [[finding.where, finding.what] for finding in error.findings]
    else:
        assert part(summary(config), want) == want
        return
    assert [where for where, _ in found] == [where for where, _ in want.get("errors", ())], found
    assert all(text in what for (_, what), (_, text) in zip(found, want["errors"], strict=True)), found


def test_every_file_has_an_expectation() -> None:
    expected = {path.stem.partition("@")[0] for path in HERE.glob("*.json")}
    assert {path.name.partition(".")[0] for path in HERE.glob("*.yml")} == expected
