"""Which worker is which, and what it means what they told."""

from dataclasses import replace

import pytest

from shipway.core.inside import FrameworkFacts, Inside, Probed, WorkerNode
from shipway.core.unit import Unit
from shipway.core.vital import Vital
from shipway.verification.outcome import Answer
from shipway.verification.workers import (
    Asked,
    Expected,
    asked_of,
    framework_of,
    judge_alive,
    judge_probe,
    judge_queues,
    judge_tasks,
)

CMDS = {
    "celery -A shop worker -l info": "celery",
    "python -m celery --app shop worker": "celery",
    "celery -A shop beat": "",
    "python manage.py rqworker high default": "rq",
    "rq worker": "rq",
    "python manage.py db_worker": "tasks",
    "python manage.py run_huey": "",
    "python bot.py": "",
}


@pytest.mark.parametrize(("cmd", "name"), CMDS.items())
def test_a_command_names_its_framework(cmd: str, name: str) -> None:
    assert framework_of(cmd) == name


def expected(host: str = "web-1", cmd: str = "celery -A shop worker", **vital: object) -> Expected:
    unit = Unit("shop", "worker", host, "r2", "v", kind="worker", cmd=cmd)
    told = {"machine": host, "is_running": True, "pid": 7, "pids": (7, 8), **vital}
    return Expected(unit, Vital("worker", "r2", **told))


def node(machine: str = "web-1", pid: int = 7, **more: object) -> WorkerNode:
    return WorkerNode(
        f"celery@{machine}", **{"answers": 1, "pid": pid, "machine": machine, "queues": ("celery",), **more}
    )


def asked(*nodes: WorkerNode, wanted: tuple[Expected, ...] = (), **facts: object) -> Asked:
    return Asked("celery", wanted or (expected(),), FrameworkFacts(nodes=nodes, **facts), 10.0)


def test_a_worker_is_known_by_its_machine_and_its_process() -> None:
    assert judge_alive(asked(node())).state == "passed"
    assert judge_alive(asked(node(pid=8))).state == "passed", "a process that it started"
    assert judge_alive(asked(node(pid=0))).state == "passed", "one that does not tell"
    old = judge_alive(asked(node(pid=99)))
    assert old.state == "failed", "the release before, on the same host"
    assert "celery@web-1 answered" in old.evidence


def test_in_a_container_the_machine_is_enough() -> None:
    alone = replace(expected(machine="web-1-c0ffee"), is_alone=True)
    assert judge_alive(asked(node("web-1-c0ffee", 1), wanted=(alone,))).state == "passed"
    assert judge_alive(asked(node("web-1-0ther", 1), wanted=(alone,))).state == "failed"


def test_two_under_one_name_are_two() -> None:
    two = (expected(), replace(expected(), unit=replace(expected().unit, role="mails")))
    assert judge_alive(asked(node(pid=0, answers=2), wanted=two)).state == "passed"
    assert "mails on web-1" in judge_alive(asked(node(pid=0), wanted=two)).what


def test_a_renamed_worker_is_told_by_number() -> None:
    named = expected(cmd="celery -A shop worker -n fast@%h", machine="c0ffee")
    assert judge_alive(asked(node("elsewhere", 1), wanted=(named,))).state == "passed"
    assert judge_alive(asked(wanted=(named,))).state == "failed"


def test_what_does_not_run_is_said_with_its_end() -> None:
    gone = expected(is_running=False, said="exited with 1")
    answer = judge_alive(asked(node(), wanted=(gone,)))
    assert (answer.what, answer.evidence) == ("worker on web-1 did not run", ("worker on web-1: exited with 1",))
    assert judge_alive(asked(wanted=(Expected(gone.unit),))).state == "failed"


def test_a_pool_that_cannot_answer_is_no_failure() -> None:
    solo = expected(cmd="celery -A shop worker -P solo")
    assert judge_alive(asked(wanted=(solo,))).state == "passed"


def test_a_broker_that_is_down_is_said_once() -> None:
    down = asked(fault="OperationalError: refused")
    assert "refused" in judge_alive(down).what
    assert [judge(down).state for judge in (judge_tasks, judge_probe, judge_queues)] == ["skipped"] * 3


def test_a_broker_that_passes_no_questions_skips_what_it_cannot_tell() -> None:
    mute = asked(mute="a sqs broker cannot pass a question")
    assert judge_alive(mute).state == "passed"
    assert {judge(mute).state for judge in (judge_tasks, judge_probe)} == {"skipped"}


def test_tasks_that_are_not_known() -> None:
    assert judge_tasks(asked(node(shared=3))).state == "passed"
    answer = judge_tasks(asked(node(shared=3, lacking=7, lacks=tuple("abcdefg"))))
    assert answer.what == "worker on web-1 does not know 7 tasks of the release: a, b, c, d, e and 2 more"


PROBES = {
    "done": (Probed("celery", "t", "done", 20), "passed", ""),
    "nobody took it": (Probed("celery", "t", "sent"), "failed", "was not taken in 10 s"),
    "never ended": (Probed("celery", "t", "taken"), "failed", "was taken, and not done, in 10 s"),
    "hands full": (Probed("celery", "t", "sent", busy=True), "passed", ""),
    "no such task": (Probed("celery", "t", "unknown"), "failed", "no task `t`"),
    "raised": (Probed("celery", "t", "failed", said="Traceback\nValueError: x"), "failed", "ValueError: x"),
}


@pytest.mark.parametrize(("probe", "state", "what"), PROBES.values(), ids=PROBES)
def test_what_became_of_a_task(probe: Probed, state: str, what: str) -> None:
    answer = judge_probe(asked(node(), probes=(probe,)))
    assert answer.state == state
    assert what in answer.what


QUEUES = {
    "empty": ({"celery": 0}, {"celery": 0}, "passed"),
    "falls": ({"celery": 9}, {"celery": 8}, "passed"),
    "stands": ({"celery": 9}, {"celery": 9}, "failed"),
    "grows": ({"celery": 9}, {"celery": 12}, "failed"),
    "began while we looked": ({"celery": 0}, {"celery": 3}, "passed"),
}


@pytest.mark.parametrize(("before", "after", "state"), QUEUES.values(), ids=QUEUES)
def test_queues(before: dict[str, int], after: dict[str, int], state: str) -> None:
    assert judge_queues(asked(node(), waiting=before, waiting_after=after)).state == state


def test_a_queue_that_is_worked_off_may_grow() -> None:
    more = {"waiting": {"celery": 9}, "waiting_after": {"celery": 12}}
    assert judge_queues(asked(node(), probes=(Probed("celery", "t", "done"),), **more)).state == "passed"
    assert judge_queues(replace(asked(node(), waiting={"celery": 5}, waiting_after={"celery": 5}), most_waiting=4)).what


def test_a_queue_that_nobody_takes_from_is_named() -> None:
    answer = judge_queues(asked(node(), waiting={"slow": 2}, waiting_after={"slow": 2}))
    assert answer.what == "2 tasks wait in the queue `slow`, and no worker takes from it"


def test_what_was_not_answered_fails_every_check() -> None:
    for inside in (Inside(), Inside(faults={"workers": "x"}), Inside(workers={})):
        found = asked_of(inside, Asked("celery", (expected(),), None))
        assert isinstance(found, Answer)
        assert found.state == "failed"
