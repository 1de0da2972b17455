"""A plan as text."""

from shipway.cli.render.plan_view import plan_view
from shipway.cli.render.text import Paint
from shipway.core.action import Command, Upload
from shipway.core.secret import SecretRef
from shipway.core.step import Plan, Stage, Step

UPLOAD = Upload("/srv/web.env", ("KEY=", SecretRef("KEY"), "\n"))
PLAN = Plan(
    run="x",
    verb="deploy",
    service="shop",
    release="r2",
    version="c0ffee0123456789",
    base="r1",
    primary="a",
    notes=("2 uncommitted files are not deployed",),
    stages=(
        Stage(
            "Prepare",
            (
                (
                    Step("a/dirs", "make directories", "a", (Command(("mkdir", "x y")),), done=Command(("true",))),
                    Step("a/env", "write\x1b[2J the environment", "a", (UPLOAD,), undo=(Command(("rm", "f")),)),
                ),
                (Step("b/dirs", "make directories", "b", (Command(("mkdir", "x")),), harmless=True),),
            ),
            width=1,
        ),
        Stage("Switch", ((Step("a/switch", "switch", "a", (), undo=(Command(("back",)),)),),), commits=True),
    ),
)
TEXT = """\
deploy shop r2, version c0ffee012345, over r1
   note: 2 uncommitted files are not deployed

1  Prepare  (2 tracks, 1 at once)
   a
     ✓ ! make directories
     + ↩ write the environment
   b
     + · make directories

2  Switch
   a
     + ↩ switch
── from here on nothing above is taken back ──

3 of 4 steps to run
✓ true already   + will run   ↩ taken back when the run fails   · stays then, harmless   ! cannot be taken back
"""


def test_what_is_true_what_will_run_what_can_be_taken_back() -> None:
    assert plan_view(PLAN, {"a/dirs"}, Paint()) == TEXT


def test_verbose_adds_the_exact_commands() -> None:
    text = plan_view(PLAN, set(), Paint(), verbose=True)
    assert "do     mkdir 'x y'" in text
    assert "done?  true" in text
    assert "undo   rm f" in text
    assert "write /srv/web.env (mode 0600)" in text


def test_nothing_to_do_is_said() -> None:
    assert "Nothing to do" in plan_view(PLAN, {step.id for step in PLAN.steps()}, Paint())
