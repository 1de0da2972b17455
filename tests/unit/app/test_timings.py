"""Where the time of a run went."""

from shipway.app.answers import StageTime
from shipway.app.timings import Timings
from shipway.core.events import Event


def test_stages_and_the_part_in_which_the_application_started() -> None:
    heard: list[Event] = []
    timings = Timings(heard.append)
    events = [
        Event("run.begin", "x", 100.0),
        Event("stage.begin", "x", 100.0, stage="Put r2 on the hosts"),
        Event("step.done", "x", 103.0, stage="Put r2 on the hosts", step="a/unpack-r2", took_s=3.0),
        Event("stage.done", "x", 103.0, stage="Put r2 on the hosts"),
        Event("stage.begin", "x", 103.0, stage="Start r2"),
        Event("step.done", "x", 104.0, stage="Start r2", step="a/start-web-r2", took_s=1.0),
        Event("step.done", "x", 105.0, stage="Start r2", step="b/start-web-r2", took_s=1.75),
        Event("stage.done", "x", 105.0, stage="Start r2"),
        Event("run.end", "x", 105.5),
    ]
    for event in events:
        timings.listen(event)
    assert timings.stages == [StageTime("Put r2 on the hosts", 3.0), StageTime("Start r2", 2.0, 1.75)]
    assert timings.took_s == 5.5
    assert heard == events
