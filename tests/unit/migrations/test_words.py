"""The catalogues are whole: each slug has its sentence, each recipe its steps and its page."""

import re
from pathlib import Path

import pytest

from shipway.migrations.words_for.effects import EFFECTS
from shipway.migrations.words_for.problems import NEW_CODE, PROBLEMS
from shipway.migrations.words_for.recipes import OF_EFFECT, OF_PROBLEM, RECIPES, render_recipe

ROOT = Path(__file__).parents[3]
SOURCE = "\n".join(p.read_text() for p in (ROOT / "src/shipway/migrations").glob("*.py"))


def test_every_slug_is_known() -> None:
    problems = set(re.findall(r'Problem\(\s*"(\w+)"', SOURCE)) | {"type_widened", "type_narrowed", "type_retyped"}
    effects = set(re.findall(r'Effect\(\s*"(\w+)"', SOURCE))
    assert problems <= PROBLEMS.keys()
    assert effects <= EFFECTS.keys()
    assert OF_PROBLEM.keys() == PROBLEMS.keys()
    assert NEW_CODE.keys() <= PROBLEMS.keys()
    assert OF_EFFECT.keys() <= EFFECTS.keys()
    assert {*OF_PROBLEM.values(), *OF_EFFECT.values()} | {"one-operation"} == RECIPES.keys()


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_its_page_and_uses_the_names_it_gets(name: str) -> None:
    page = (ROOT / f"docs/reference/migrations/{name}.md").read_text()
    assert page.startswith("# ")
    steps = render_recipe(name, model="Customer", field="vat", other="Room", app="shop")
    assert steps
    assert not [step for step in steps if "{" in step.replace('{"old_code"', "")]
