from pathlib import Path

import pytest

from shipway.adapters.config_files import read_config_files
from shipway.core.errors import ConfigError


def _project(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    return root


def test_the_main_file_is_found_in_config_first(tmp_path: Path) -> None:
    root = _project(tmp_path, "config/deploy.yml", "deploy.yml", "config/deploy.staging.yml", "config/other.x.yml")
    files = read_config_files(root)
    assert files.texts == {"config/deploy.yml": "# config/deploy.yml\n"}
    assert files.destinations == ("staging",)


def test_the_main_file_may_stand_at_the_root(tmp_path: Path) -> None:
    files = read_config_files(_project(tmp_path, "deploy.yml", "deploy.x.yml"), destination="x")
    assert list(files.texts) == ["deploy.yml", "deploy.x.yml"]


def test_a_named_file_has_destinations_of_its_own_name(tmp_path: Path) -> None:
    root = _project(tmp_path, "a/shop.yml", "a/shop.eu.yml", "a/deploy.us.yml")
    assert list(read_config_files(root, file="a/shop.yml", destination="eu").texts) == ["a/shop.yml", "a/shop.eu.yml"]
    assert read_config_files(root, file="a/shop.yml").destinations == ("eu",)


@pytest.mark.parametrize(
    ("names", "file", "destination", "code", "what", "next_"),
    [
        ((), None, None, "config.missing", "neither config/deploy.yml nor deploy.yml exists", "shipway init"),
        (("deploy.yml",), "x.yml", None, "config.missing", "Configuration file not found in", "-c"),
        (("deploy.yml", "deploy.eu.yml", "deploy.us.yml"), None, "ue", "config.no_destination",
         "Configuration file not found in", "eu, us"),
        (("deploy.yml",), None, "ue", "config.no_destination", "Configuration file not found in", "no deploy.*.yml"),
        (("deploy.yml",), None, "../x", "config.no_destination", "Configuration file not found in", "no deploy.*.yml"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(
    *,
    tmp_path: Path,
    names: tuple[str, ...],
    file: str | None,
    destination: str | None,
    code: str,
    what: str,
    next_: str,
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config_files(_project(tmp_path, *names), file=file, destination=destination)
    assert caught.value.code == code
    assert what in caught.value.what
    assert next_ in caught.value.next


def test_a_file_that_is_no_text_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "deploy.yml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ConfigError) as caught:
        read_config_files(tmp_path)
    assert (caught.value.code, caught.value.where) == ("config.unreadable", "deploy.yml:2")


def test_what_stands_there_and_is_no_file_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "config" / "deploy.yml").mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        read_config_files(tmp_path)
    assert caught.value.code == "config.unreadable"
