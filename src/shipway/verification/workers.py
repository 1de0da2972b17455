"""What it means that the workers of a task framework answered as they did: alive, their tasks, queues, the probe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shipway.core.inside import FrameworkFacts, Inside, Probed, WorkerNode
from shipway.core.unit import Unit
from shipway.core.vital import Vital
from shipway.verification.outcome import Answer, failed, passed, skipped

_FRAMEWORKS = (
    ("celery", re.compile(r"\bcelery\b.*\bworker\b")),
    ("rq", re.compile(r"\brqworker\b|\brq worker\b")),
    ("tasks", re.compile(r"\bdb_worker\b")),
)
ASKABLE = tuple(name for name, _ in _FRAMEWORKS)
TITLES = {"celery": "Celery", "rq": "RQ", "tasks": "django-tasks"}
_SOLO = re.compile(r"(?:-P\s*|--pool[= ])solo\b")
_NO_REMOTE = re.compile(r"--without-remote-control|--without-gossip-and-remote")
_SHOWN = 5


def framework_of(cmd: str) -> str:
    """Return which framework a worker's command belongs to, "" for one that cannot be asked."""
    return next((name for name, pattern in _FRAMEWORKS if pattern.search(cmd)), "")


@dataclass(frozen=True, slots=True)
class Expected:
    """A worker that should run: its unit, and what its host says of it (None: nothing).

    `is_alone`: its machine has a name of its own, as a container has. Process numbers in it are others, then.
    """

    unit: Unit
    vital: Vital | None = None
    is_alone: bool = False

    @property
    def name(self) -> str:
        """How a person calls it."""
        return f"{self.unit.role} on {self.unit.host}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one framework was asked: which workers it should have, in which release, and what it told."""

    framework: str
    expected: tuple[Expected, ...]
    facts: FrameworkFacts | None
    seconds: float = 10.0
    most_waiting: int | None = None

    @property
    def found(self) -> dict[str, WorkerNode]:
        """The workers that answered, by how a person calls the unit that each is."""
        nodes = list(self.facts.nodes) if self.facts else []
        pairs: dict[str, WorkerNode] = {}
        for one in self.expected:
            node = next((node for node in nodes if self._is(one, node)), None)
            if node is not None and node.answers:
                pairs[one.name] = node
                if node.answers < 2:  # noqa: PLR2004  two processes under one name stay for another unit
                    nodes.remove(node)
        # Workers that were given another name (`-n`) are told from those of others by nothing but their number.
        for one in self.expected:
            spare = [node for node in nodes if node not in pairs.values() and node.answers and self._is_nobodys(node)]
            if one.name not in pairs and _renamed(one.unit) and spare:
                pairs[one.name] = spare[0]
        return pairs

    def _is(self, one: Expected, node: WorkerNode) -> bool:
        if one.vital is None or node.machine != one.vital.machine:
            return False
        return one.is_alone or not node.pid or node.pid in one.vital.pids

    def _is_nobodys(self, node: WorkerNode) -> bool:
        return not any(one.vital and one.vital.machine == node.machine for one in self.expected)


def _renamed(unit: Unit) -> bool:
    return bool(re.search(r"\s(-n|--hostname|--name)\b", unit.cmd))


def asked_of(inside: Inside, asked: Asked) -> Answer | Asked:
    """Return `asked` with what the framework told, or the answer to each of its checks where it told nothing."""
    if fault := inside.faults.get("workers"):
        return failed("the project could not be asked about its workers", fault)
    if inside.workers is None:
        return failed(inside.cut or "there was no answer", next="`shipway manage check` runs in the same place")
    facts = inside.workers.get(asked.framework)
    if facts is None:
        return failed(
            f"{TITLES[asked.framework]} is not loaded by the project, but {asked.expected[0].name} runs its worker",
            next="is its application imported in the project's `__init__.py`?",
        )
    return replace(asked, facts=facts)


def judge_alive(asked: Asked) -> Answer:
    """Return whether every worker of the release runs, and answered when it was asked."""
    gone = [one for one in asked.expected if one.vital is None or not one.vital.is_running]
    if gone:
        said = [
            f"{one.name}: {one.vital.said or 'it does not run' if one.vital else 'it is not there'}" for one in gone
        ]
        return failed(f"{_names([one.name for one in gone])} did not run", *said, next=_logs(gone[0]))
    facts = asked.facts
    if facts is None or facts.fault:
        why = facts.fault if facts else "there was no answer"
        return failed(f"{TITLES[asked.framework]} could not ask its workers: {why}", next="is its broker up?")
    if asked.framework == "tasks" or facts.mute or facts.eager:
        why = facts.mute or (
            "tasks run at once, in the request" if facts.eager else "they keep no record of themselves"
        )
        return passed(*(f"{one.name} runs" for one in asked.expected), f"it was not asked itself: {why}")
    found = asked.found
    silent = [one for one in asked.expected if one.name not in found and not _cannot_answer(one.unit)]
    lines = [f"{name}: {node.name} answered" for name, node in found.items()]
    lines += [f"{one.name}: its kind of pool answers between two tasks only" for one in asked.expected
              if one.name not in found and one not in silent]  # fmt: skip
    if silent:
        names = _names([one.name for one in silent])
        others = [f"{node.name} answered" for node in facts.nodes if node not in found.values()]
        return failed(f"{names} runs, and did not answer", *lines, *others[:_SHOWN], next=_logs(silent[0]))
    return passed(*lines)


def _cannot_answer(unit: Unit) -> bool:
    return bool(_SOLO.search(unit.cmd) or _NO_REMOTE.search(unit.cmd))


def judge_tasks(asked: Asked) -> Answer:
    """Return whether the workers of the release know its tasks."""
    if (none := _nobody(asked)) is not None:
        return none
    found = {name: node for name, node in asked.found.items() if node.shared >= 0}
    if not found:
        return skipped(f"workers of {TITLES[asked.framework]} do not tell which tasks they know")
    for name, node in found.items():
        if node.lacking:
            more = f" and {node.lacking - _SHOWN} more" if node.lacking > _SHOWN else ""
            names = ", ".join(node.lacks[:_SHOWN]) + more
            return failed(
                f"{name} does not know {node.lacking} tasks of the release: {names}",
                f"{node.name} knows {node.shared} of them",
                next="does `celery -A` name the project's application, and does that import these modules?",
            )
    return passed(*(f"{name} knows {node.shared} tasks" for name, node in found.items()))


def judge_probe(asked: Asked) -> Answer:
    """Return whether a task that was sent to each queue was done in time."""
    facts = asked.facts
    if (none := _nobody(asked)) is not None:
        return none
    assert facts is not None  # noqa: S101  _nobody has looked
    if not facts.probes:
        return skipped("its workers run tasks of the project only: name one in `verify/workers/probe`")
    lines = tuple(_probe_line(one) for one in facts.probes)
    bad = [one for one in facts.probes if one.state != "done" and not one.busy]
    return failed(_probe_what(bad[0], asked.seconds), *lines) if bad else passed(*lines)


def _probe_line(one: Probed) -> str:
    if one.state == "done":
        return f"{one.queue}: {one.task} was done in {one.took_ms} ms" + (f" by {one.by}" if one.by else "")
    return f"{one.queue}: {one.task} was {'taken' if one.state == 'taken' else 'not taken'}" + (
        ", since all workers of the queue have their hands full" if one.busy else ""
    )


def _probe_what(one: Probed, seconds: float) -> str:
    if one.state == "unknown":
        return f"the project has no task `{one.task}`"
    if one.state == "failed":
        return f"the task {one.task} in the queue `{one.queue}` failed: {one.said.strip().splitlines()[-1:] or ''}"
    word = "taken, and not done," if one.state == "taken" else "not taken"
    return f"a task sent to the queue `{one.queue}` was {word} in {seconds:.0f} s"


def judge_queues(asked: Asked) -> Answer:
    """Return whether the queues get shorter, or are worked off."""
    facts = asked.facts
    if facts is None or facts.fault:
        return skipped("the queues were not asked about: see the workers")
    if not facts.waiting and facts.nodes:
        return skipped(facts.mute or "this broker does not tell how much waits")
    done = {one.queue for one in facts.probes if one.state == "done" or one.busy}
    taken_from = {queue for node in facts.nodes for queue in node.queues}
    problems, lines = [], []
    for queue, before in facts.waiting.items():
        after = facts.waiting_after.get(queue, 0)
        lines.append(f"{queue}: {before} waiting, then {after}")
        if asked.most_waiting is not None and after > asked.most_waiting:
            problems.append(f"{after} tasks wait in the queue `{queue}`, more than {asked.most_waiting}")
        elif min(before, after) > 0 and after >= before and queue not in done and facts.running <= 0:
            nobody = facts.nodes and queue not in taken_from
            why = "no worker takes from it" if nobody else "they do not get fewer"
            problems.append(f"{after} tasks wait in the queue `{queue}`, and {why}")
    return failed(problems[0], *problems[1:], *lines) if problems else passed(*lines)


def _nobody(asked: Asked) -> Answer | None:
    """Return the answer where no worker could be asked: what is wrong then is said once, by `verify.workers`."""
    facts = asked.facts
    if facts is None or facts.fault:
        return skipped("the workers could not be asked")
    if facts.mute or facts.eager:
        return skipped(facts.mute or "tasks run at once, in the request")
    return skipped("no worker answered") if asked.framework != "tasks" and not facts.nodes else None


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _logs(one: Expected) -> str:
    return f"`shipway logs --roles {one.unit.role} --hosts {one.unit.host}`"
