"""Wrong configurations and what is said about them. A new case is a block in catalogue/*.txt."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shipway.config.load import load_config
from shipway.core.errors import ConfigError

HERE = Path(__file__).parent / "catalogue"
BASE = (HERE / "base.yml").read_text()


class Case(NamedTuple):
    text: str
    expected: tuple[tuple[str, ...], ...]


def _cases() -> Iterator[object]:
    for file in sorted(HERE.glob("*.txt")):
        for block in file.read_text().split("\n## ")[1:]:
            title, _, body = block.partition("\n")
            lines = body.splitlines()
            expected = tuple(tuple(p.strip() for p in x[3:].split(" | ")) for x in lines if x.startswith("=> "))
            text = "\n".join(line for line in lines if not line.startswith("=> ")).strip("\n")
            yield pytest.param(Case(text, expected), id=f"{file.stem}: {title}")


@pytest.mark.parametrize("case", list(_cases()))
def test_every_mistake_is_told_with_its_place(case: Case) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({"config/deploy.yml": BASE, "config/deploy.test.yml": case.text}, destination="test")
    found = [(finding.where, finding.what, finding.next) for finding in caught.value.findings]
    assert sorted(where for where, _, _ in found) == sorted(expected[0] for expected in case.expected), found
    for place, *texts in case.expected:
        about = [(what, next_) for where, what, next_ in found if where == place]
        assert any(texts[0] in what and (len(texts) == 1 or texts[1] in next_) for what, next_ in about), found
    assert caught.value.code == "config.invalid"
    assert caught.value.exit_code == 3


def test_the_base_is_valid() -> None:
    load_config({"config/deploy.yml": BASE})


def test_the_place_is_that_of_the_file_where_the_value_stands() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(
            {"config/deploy.yml": BASE + "boot:\n  limit: 0\n", "config/deploy.x.yml": "boot:\n  wait: a\n"},
            destination="x",
        )
    places = [finding.where for finding in caught.value.findings]
    assert places == ["config/deploy.yml:9 boot/limit", "config/deploy.x.yml:2 boot/wait"]
