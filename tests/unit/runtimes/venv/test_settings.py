from __future__ import annotations

from typing import Any

import pytest

from shipway.runtimes.venv.settings import VenvSettings


@pytest.mark.parametrize(
    "changes",
    [
        {"lock": "uv"},
        {"lock": "requirements", "lock_file": "requirements.txt"},
        {"manage": "/etc/manage.py"},
        {"static_root": "../static"},
        {"static_root": "."},
        {"media_root": "a/../../b"},
        {"shared": ("ok", "/etc")},
        {"shared": ("a\nb",)},
        {"web_processes": 0},
        {"web_threads": 0},
        {"max_requests": -1},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        VenvSettings(**changes)


def test_a_whole_project_is_accepted() -> None:
    VenvSettings(lock="uv", lock_file="uv.lock", lock_digest="d", shared=("db.sqlite3", "data/"), static_root="a b/c")
