"""`shipway inspect`: its text, its JSON, its exit codes."""

import json
from pathlib import Path

import pytest

from shipway.cli.main import main
from tests.cli.conftest import Project

HARBOR = str(Path(__file__).parents[2] / "examples" / "harbor")


def test_text_is_grouped_with_places_and_ends_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", HARBOR]) == 0
    text = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.startswith("  ")}
    assert rows["settings"] == ["harbor.settings", "harbor/wsgi.py:5"]
    assert rows["health"] == ["/up", "harbor/urls.py:9"]
    assert rows["required"] == ["SECRET_KEY", "harbor/settings.py:31"]
    assert [line for line in text.splitlines() if line.startswith("unknown")] == [
        "unknown  python: the files do not say"
    ]
    assert text.splitlines()[-1].startswith("next")
    assert "LOG_LEVEL" not in text
    main(["inspect", HARBOR, "-v"])
    assert "LOG_LEVEL" in capsys.readouterr().out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", HARBOR, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"facts", "evidence"}
    assert document["facts"]["health"] == "/up"
    assert document["facts"]["python"] is None
    assert document["evidence"]["health"]["places"][0] == {
        "file": "harbor/urls.py",
        "line": 9,
        "why": "views.up",
    }
    assert document["evidence"]["health"]["confidence"] == "high"
    assert document["evidence"]["python"] == {"confidence": "none", "places": [], "conflicts": []}


def test_the_directory_one_is_in_and_a_contradiction(project: Project) -> None:
    project.write(".python-version", "3.12\n")
    project.write("Dockerfile", "FROM python:3.13\nCMD gunicorn shop.wsgi\n")
    project.write("shop/settings.py", "STATIC_ROOT = '/a\\nunknown  \\x1b[31mnothing'\n")
    answer = project("inspect")
    assert answer.code == 0
    assert "python: 3.12, but Dockerfile:1 says 3.13" in answer.out
    assert "\x1b" not in answer.out
    assert not [line for line in answer.out.splitlines() if line.startswith("unknown  nothing")]


def test_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path)]) == 3
    assert "error[inspect.no_project]" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "x"), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "inspect.no_directory"
