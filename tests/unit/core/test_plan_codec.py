"""A stored plan is the plan, or an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipway.core.action import Command, Pipe, Upload, Wait
from shipway.core.plan_codec import PlanFormatError, plan_fingerprint, plan_from_json, plan_to_json
from shipway.core.secret import SecretRef
from shipway.core.step import Plan, Stage, Step, violations

WORDS = st.lists(st.text(max_size=6), min_size=1, max_size=3).map(tuple)
TEXTS = st.lists(st.one_of(st.text(max_size=6), st.builds(SecretRef, st.text(max_size=6), st.just("json"))), max_size=3)
COMMANDS = st.builds(Command, WORDS, TEXTS.map(tuple), st.booleans(), st.floats(1, 99))
ACTIONS = st.one_of(
    COMMANDS,
    st.builds(Upload, st.text(max_size=9), TEXTS.map(tuple), st.integers(0, 0o777), st.booleans()),
    st.builds(Wait, st.builds(Command, WORDS), st.floats(0.1, 9), st.floats(1, 99)),
    st.builds(Pipe, COMMANDS, COMMANDS),
)
STEPS = st.builds(
    Step, st.text(max_size=9), st.text(max_size=9), st.just("a"), st.lists(ACTIONS, max_size=2).map(tuple),
    st.one_of(st.none(), COMMANDS), st.lists(ACTIONS, max_size=2).map(tuple), st.booleans(), st.booleans(),
)  # fmt: skip
STAGES = st.builds(
    Stage, st.text(max_size=9), st.lists(st.lists(STEPS, max_size=2).map(tuple), max_size=2).map(tuple),
    st.integers(0, 3), st.booleans(),
)  # fmt: skip
PLANS = st.builds(
    Plan, st.just("run"), st.just("deploy"), st.just("shop"), st.just("r2"), st.just("v"), st.just("r1"),
    st.just("a"), st.lists(STAGES, max_size=2).map(tuple), st.just(("a note",)),
)  # fmt: skip


@given(PLANS)
def test_a_plan_comes_back_from_its_text(plan: Plan) -> None:
    text = plan_to_json(plan)
    assert plan_from_json(text) == plan
    assert plan_to_json(plan_from_json(text)) == text


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "{}", '{"format": 99}', '{"format": 1, "run": "x"}'])
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(PlanFormatError):
        plan_from_json(text)


def plan_of(*steps: Step, commits_first: bool = False) -> Plan:
    stages = (*((Stage("commit", (), commits=True),) if commits_first else ()), Stage("all", (steps,)))
    return Plan("run", "deploy", "shop", "r2", "v", "r1", "a", stages)


def test_the_laws_find_each_kind_of_breach() -> None:
    do, undo, done = (Command(("do",)),), (Command(("undo",)),), Command(("done",))
    good = Step("a/x", "x", "a", do, done=done, undo=undo)
    assert violations(plan_of(good)) == ()
    for bad in (
        Step("a/x", "x", "a", do, undo=undo),
        Step("a/x", "x", "a", do, done=done),
        Step("b/x", "x", "a", do, done=done, undo=undo),
    ):
        assert len(violations(plan_of(bad))) == 1
    assert violations(plan_of(good, good))
    assert violations(plan_of(Step("a/x", "x", "a", do, repeatable=True), commits_first=True)) == ()


def test_secrets_are_listed_and_the_fingerprint_sees_every_change() -> None:
    one = plan_of(Step("a/x", "x", "a", (Upload("/e", ("K=", SecretRef("KEY"))),), repeatable=True, harmless=True))
    two = plan_of(Step("a/x", "x", "a", (Upload("/f", ("K=", SecretRef("KEY"))),), repeatable=True, harmless=True))
    assert one.secrets() == ("KEY",)
    assert plan_fingerprint(one) != plan_fingerprint(two)
