"""Facts of small projects. A case is a table in cases/*.toml: files, and what they must tell; see the first of them."""

import tomllib
from pathlib import Path

import pytest

from shipway.django.fact import Inspection
from shipway.django.facts import inspect_project
from shipway.django.tree import TextTree

MANAGE = """\
import os
import sys
if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""
WSGI = """\
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
"""
PLAIN = {"manage.py": MANAGE, "shop/__init__.py": "", "shop/settings.py": "DEBUG = False\n", "shop/wsgi.py": WSGI}


def cases() -> list[object]:
    found = []
    for path in sorted((Path(__file__).parent / "cases").glob("*.toml")):
        rows = tomllib.loads(path.read_text())["case"]
        found += [pytest.param(case, id=f"{path.stem}: {case['name']}") for case in rows]
    return found


def files_of(case: dict) -> dict[str, str]:
    """`bare` begins with nothing; else the files of startproject are there, those of the case put over them."""
    files = {} if case.get("bare") else dict(PLAIN)
    files.update(case.get("files", {}))
    return {path: text for path, text in files.items() if text != "(gone)"}


@pytest.mark.parametrize("case", cases())
def test_case(case: dict) -> None:
    found = inspect_project(TextTree(files_of(case)))
    for name, value in case.get("facts", {}).items():
        assert found.facts[name].value == value, (name, found.facts[name])
        assert found.facts[name].confidence != "none", name
    for name in case.get("unknown", ()):
        assert found.facts[name].value is None, (name, found.facts[name])
        assert not found.facts[name].is_known
    for name, place in case.get("places", {}).items():
        assert str(found.facts[name].evidence[0]) == place, name
    for name, confidence in case.get("confidence", {}).items():
        assert found.facts[name].confidence == confidence, (name, found.facts[name])
    for name, words in case.get("conflicts", {}).items():
        assert words in " ".join(found.facts[name].conflicts), found.facts[name]
    check_variables(case, found)


def check_variables(case: dict, found: Inspection) -> None:
    required = {one.name: f"{one.file}:{one.line}" for one in found.variables if one.required}
    optional = {one.name: f"{one.file}:{one.line}" for one in found.variables if not one.required}
    if "required" in case:
        assert required == case["required"]
    if "optional" in case:
        assert case["optional"].items() <= optional.items(), optional
    for name in case.get("not_read", ()):
        assert name not in required | optional


@pytest.mark.parametrize("case", cases())
def test_evidence_points_at_what_is_there(case: dict) -> None:
    """Every place names a file of the project and a line that it has, and every answer has its confidence."""
    files = files_of(case)
    found = inspect_project(TextTree(files))
    for name, fact in found.facts.items():
        assert (fact.confidence == "none") == (fact.value is None), (name, fact)
        for place in fact.evidence:
            if place.file in files:
                assert 0 <= place.line <= files[place.file].count("\n") + 1, (name, place)
    for one in found.variables:
        assert one.name in files[one.file] or one.name.partition("_")[2] in files[one.file].upper(), one
