"""What is done on this machine, and tried again where its failure may pass."""

import asyncio

import pytest

from shipway.adapters.here import HereRunner
from shipway.app.here_run import HereRun
from shipway.core.errors import Unreachable
from shipway.core.here import HereStage, HereStep

# Fails until it was run as often as the first argument says.
SCRIPT = 'echo >>"$2"; [ "$(wc -l <"$2")" -ge "$1" ]'


class Nothing:
    """A project without secrets."""

    def names(self):
        return ()


def run(tmp_path, good_at: int, *, code: str = "registry.unreachable", again=(0.0, 0.0)):
    events = []
    step = HereStep(
        "here/push", "push it", ("sh", "-c", SCRIPT, "sh", str(good_at), str(tmp_path / "runs")),
        passing=("registry.unreachable",), again_after_s=again,
    )  # fmt: skip
    walk = HereRun(HereRunner(Nothing()), events.append, lambda _step, _result: Unreachable(code, "it did not answer"))
    try:
        asyncio.run(walk.run((HereStage("push", ((step,),)),)))
    except Unreachable as error:
        events.append(error)
    return len((tmp_path / "runs").read_text().splitlines()), events


@pytest.mark.parametrize(("good_at", "runs"), [(1, 1), (2, 2), (3, 3)])
def test_a_failure_that_passes(tmp_path, good_at, runs):
    times, events = run(tmp_path, good_at)
    assert times == runs
    assert [event.kind for event in events][-2:] == ["step.done", "stage.done"]
    assert [event.kind for event in events].count("step.output") == runs - 1


@pytest.mark.parametrize(
    ("code", "again", "runs"),
    [("registry.unreachable", (0.0, 0.0), 3), ("registry.unreachable", (), 1), ("registry.refused", (0.0,), 1)],
)
def test_a_failure_that_stays_is_told_once(tmp_path, code, again, runs):
    times, events = run(tmp_path, 99, code=code, again=again)
    assert times == runs
    assert [getattr(event, "kind", "") for event in events].count("step.failed") == 1
    assert events[-1].code == code
