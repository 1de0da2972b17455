"""Kamal's own fixture files and what Kamal 2.12 makes of them (kamal/: data of the Kamal project, MIT)."""

import json
from pathlib import Path

import pytest

from shipway.adapters.config_files import read_config_files
from shipway.config.erb_expression import ErbFacts
from shipway.config.load import load_config
from shipway.config.summary import summary
from shipway.core.errors import ConfigError
from tests.unit.config.expectations import part

HERE = Path(__file__).parent / "kamal"
FACTS = ErbFacts(docker_arch="amd64", commit="0123456789abcdef0123456789abcdef01234567")


@pytest.mark.parametrize("expected", sorted((HERE / "expected").glob("*.json")), ids=lambda path: path.stem)
def test_a_file_of_kamal_gives_what_kamal_gives(expected: Path) -> None:
    name, _, destination = expected.stem.partition("@")
    want = json.loads(expected.read_text())

    def read() -> dict[str, object]:
        files = read_config_files(HERE / "fixtures", file=f"{name}.yml", destination=destination or None)
        config = load_config(files.texts, destination=destination or None, facts=FACTS, destinations=files.destinations)
        told = [found for found in config.warnings if found.code not in ("config.ignored", "config.open_port")]
        assert not told or "driver" in told[0].where
        return dict(summary(config))

    if "error" in want:
        with pytest.raises(ConfigError, match=want["error"]):
            read()
        return
    got = read()
    assert part(got, want) == want
    assert want["roles"].keys() == got["roles"].keys()
    assert json.loads(json.dumps(got)) == got
