"""`secrets fetch`, `extract` and `print` as functions."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from shipway.adapters.secrets.managers.base import Wanted
from shipway.adapters.secrets.programs import Programs
from shipway.app.secrets import extract_secret, fetch_secrets, load_secrets, shown_secrets
from shipway.core.errors import ConfigError


def programs(root: Path) -> Programs:
    return Programs(root, {"PATH": "/usr/bin:/bin"}, is_attended=False)


def test_fetch_answers_json_and_inline_one_shell_word(tmp_path: Path) -> None:
    wanted = Wanted(("ab c", "$x"), "anybody")
    text = fetch_secrets("test", wanted, programs(tmp_path))
    assert json.loads(text) == {"ab c": "c ba", "$x": "x$"}
    assert shlex.split(fetch_secrets("test", wanted, programs(tmp_path), inline=True)) == [text]


@pytest.mark.parametrize(
    ("name", "value"),
    [("A", "exact"), ("B", "first"), ("v/i/B", "first"), ("N", "5"), ("i/B", "first"), ("O", '{"x":[1]}')],
)
def test_extract_takes_the_key_or_the_first_that_ends_in_it(name: str, value: str) -> None:
    text = json.dumps({"v/A": "no", "A": "exact", "v/i/B": "first", "w/i/B": "second", "N": 5, "O": {"x": [1]}})
    assert extract_secret(name, text) == value


@pytest.mark.parametrize("name", ["C", "", "EMPTY"])
def test_extract_names_what_is_there(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^Could not find secret {name}$") as caught:
        extract_secret(name, '{"v/A":"hunter2","EMPTY":null}')
    assert "`v/A`" in caught.value.next
    assert "hunter2" not in caught.value.next


@pytest.mark.parametrize("text", ["hunter2", "[1]", "", '"hunter2"'])
def test_extract_does_not_quote_what_is_no_json(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        extract_secret("A", text)
    assert caught.value.code == "secrets.no_json"
    assert "hunter2" not in caught.value.what + caught.value.next


def test_print_shows_every_secret_of_the_destination(tmp_path: Path) -> None:
    (tmp_path / "s-common").write_text("A=1\nB=$(echo 2)")
    (tmp_path / "s.x").write_text('B="l1\nl2"')
    assert shown_secrets(load_secrets(programs(tmp_path), "s", "x")) == ("A=1", "B=l1\nl2")
