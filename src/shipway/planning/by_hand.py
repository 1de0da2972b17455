"""A deploy as it is written down for people and shells: the plan of `shipway deploy`, and what stands around it.

A deploy comes in two parts with the gate between. Nobody can ask a release that is not there yet, so what is written
down has the first part, the question that a person or `manage.py migrate` can answer, and then the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from shipway.core.action import Command, Pipe
from shipway.core.facts import Facts
from shipway.core.here import HereStage, HereStep
from shipway.core.layout import Layout
from shipway.core.record import Record
from shipway.core.secret import secret_names
from shipway.core.step import Plan, Stage, Step
from shipway.core.unit import Unit
from shipway.planning.deploy import plan_prepare, plan_release
from shipway.planning.migrate import Decided, migration_unit
from shipway.planning.site import Site
from shipway.planning.stages import stage
from shipway.runtimes.base import Release

LOAD_LIMIT_S = 1800.0
"""An image without a registry goes to a host whole: a gigabyte at half a megabyte a second."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a host is reached: the words of the SSH client and its options; () for this machine itself."""

    ssh: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What the gate would have asked the release: is anything pending (exits 0 when not), and what is it."""

    step: str
    host: str
    check: Command
    show: Command


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a plan that is carried out by hand.

    `here` runs on the operator's machine before the plan. `reach` is by host, `layouts` too. `last_run` is the last run
    that the ledger had when this was written ("" for none). `agreed`: the migrations were judged before, and may run.
    `keys` are secrets with private SSH keys, each with the file in which it must stand. `files`: further files by path.
    `command` are the words of Shipway for the same service, for what can be done with it afterwards.
    """

    reach: Mapping[str, Reach]
    layouts: Mapping[str, Layout]
    here: tuple[HereStage, ...] = ()
    last_run: str = ""
    agreed: bool = False
    work: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    options: str = ""


@dataclass(frozen=True, slots=True)
class ByHand:
    """A deploy to be written down. `first` is the part of `plan` before the question; its stages are those of `plan`.

    `question` is None for a service without a role that could be asked, and where the team migrates by itself.
    """

    plan: Plan
    first: Plan
    question: Question | None
    around: Around = field(default_factory=lambda: Around({}, {}))

    def here_steps(self) -> Iterator[HereStep]:
        """Yield what runs on the operator's machine, in order."""
        for one in self.around.here:
            for track in one.tracks:
                yield from track

    def secrets(self) -> tuple[str, ...]:
        """Return the names of all secrets that are needed, sorted."""
        names = {*self.plan.secrets(), *(name for name, _ in self.around.keys)}
        for step in self.here_steps():
            names.update(secret_names(step.stdin))
            names.update(name for _, text in step.env for name in secret_names(text))
        return tuple(sorted(names))


def plan_by_hand(site: Site, facts: Facts, run: str, release: Release, *, image: str = "") -> ByHand:
    """Return the deploy of `release` as it can be written down before anybody can ask the release itself.

    `image`: where there is no registry, the image that this machine's engine has and the hosts get. All migrations run
    before the start of the release, after whoever does it has looked at them.
    """
    site = replace(site, verifies=())  # nobody is there to look; a person does it at the end
    prepared = plan_prepare(site, facts, run, release)
    loads = stage("Send the image to the hosts", ((_load(t.host, image),) for t in site.targets)) if image else ()
    first = replace(prepared, stages=(*loads, *prepared.stages))
    whole = plan_release(first, site, facts, Decided())
    unit = migration_unit(site, release.release, release.version)
    if unit is None or site.migrations == "manual":
        return ByHand(whole, first, None)
    question, step = _migrate(site, unit)
    at = len(first.stages)
    stages: tuple[Stage, ...] = (*whole.stages[:at], Stage("Migrate the database", ((step,),)), *whole.stages[at:])
    return ByHand(replace(whole, stages=stages), first, question)


def last_run(records: tuple[Record, ...]) -> str:
    """Return the id of the last run that a ledger shows, "" for none."""
    return next((record.run for record in reversed(records) if record.kind == "run.begin"), "")


def _migrate(site: Site, unit: Unit) -> tuple[Question, Step]:
    def manage(*words: str) -> Command:
        command = site.target(unit.host).runtime.one_off(unit, ("python", site.manage, "migrate", *words))
        return replace(command, limit_s=site.migrate_limit_s)

    step_id = f"{unit.host}/migrate"
    step = Step(
        id=step_id,
        title=f"migrate the database with {unit.release}",
        host=unit.host,
        do=(manage("--noinput"),),
        done=manage("--check"),
        repeatable=True,
        harmless=True,  # whoever agrees says that what serves lives on with it
    )
    return Question(step_id, unit.host, manage("--check"), manage("--plan")), step


def _load(host: str, image: str) -> Step:
    source = Command(("docker", "save", image), limit_s=LOAD_LIMIT_S)
    sink = Command(("docker", "load", "--quiet"), limit_s=LOAD_LIMIT_S)
    return Step(
        id=f"{host}/load-image",
        title="send the image",
        host=host,
        do=(Pipe(source, sink),),
        done=Command(("docker", "image", "inspect", "--format", "{{.Id}}", image)),
        harmless=True,
    )
