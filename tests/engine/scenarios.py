"""The runs that the matrices cut: which verb, on which fleet, and what goes wrong by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shipway.engine.outcome import Ending
from shipway.planning.site import Site
from tests.engine.client import Verb, assert_serves, deploy, go_on, installed, recover, roll_back
from tests.engine.sim_host import Fleet, no_fault
from tests.engine.sim_runtime import sim_site
from tests.engine.sim_transport import Switch

RECOVERIES: dict[str, Verb] = {"resume": go_on, "rollback": roll_back, "deploy": deploy}


@dataclass(frozen=True)
class Scenario:
    """`old` serves before and `new` is to serve after `verb`. `heals`: the fault is gone when somebody recovers.
    `is_thorough`: every state is recovered by every verb, else the verbs take turns.
    """

    name: str
    verb: Verb
    ending: Ending
    hosts: int = 2
    width: int = 1
    gate: str = ""
    old: str = "r1"
    new: str = "r2"
    is_sick: bool = False
    failing: tuple[tuple[str, ...], ...] = ()
    heals: bool = False
    is_thorough: bool = False

    def site(self) -> Site:
        return sim_site(["app-1", "app-2", "app-3"][: self.hosts], width=self.width, gate=self.gate)

    def fleet(self, site: Site) -> Fleet:
        fleet = installed(site, deploys=int(self.old[1:]))
        last = site.targets[-1].host
        if self.is_sick:
            fleet.sick.add((last, self.new))
        if self.failing:
            fleet.fault = failing(last, *self.failing)
        return fleet

    def recovered(self, name: str, site: Site, fleet: Fleet, switch: Switch | None = None) -> str:
        """Recover with the verb called `name`, check everything, and return the release that serves now."""
        heal(fleet, name, heals=self.heals)
        recover(RECOVERIES[name], site, fleet, switch)
        return assert_serves(site, fleet, self.allowed(name))

    def allowed(self, name: str) -> set[str]:
        """The releases that may serve after a recovery: exactly one for all but `resume`."""
        if name == "deploy":
            return {"r2", "r3", "r4"} - ({self.old} if self.verb is deploy else set())
        if name == "resume":
            return {self.old} if self.ending == "undone" else {self.old, self.new}
        return {self.old} if self.verb is deploy else {self.old, self.new}


def heal(fleet: Fleet, name: str, *, heals: bool) -> None:
    if heals or name == "deploy":
        fleet.fault = no_fault
        fleet.sick.clear()


def failing(host: str, *faults: tuple[str, ...]) -> Callable[[str, Sequence[str]], str]:
    """Commands that have all words of one of `faults` fail on `host`, a one-off on every host.

    The first word of each is that of the runtime or proxy; `migrate` is a one-off that was told what to apply.
    """

    def fault(where: str, argv: Sequence[str]) -> str:
        for words in faults if argv[0] == "sim" else ():
            said = {*argv, "migrate"} if argv[1] == "one-off" and argv[-1].startswith("{") else set(argv)
            if set(words) <= said and (where == host or "one-off" in words):
                return f"{words[0]} does not work today"
        return ""

    return fault


SCENARIOS = (
    Scenario("deploy", deploy, "done", is_thorough=True),
    Scenario("deploy on one host", deploy, "done", hosts=1),
    Scenario("deploy on 3 hosts at once", deploy, "done", hosts=3, width=0),
    Scenario("deploy on 3 hosts, one by one", deploy, "done", hosts=3, width=1),
    Scenario("deploy on 3 hosts behind the first", deploy, "done", hosts=3, width=0, gate="web"),
    Scenario("unhealthy behind the first host", deploy, "undone", width=0, gate="web", is_sick=True),
    Scenario("unhealthy on the last host", deploy, "undone", is_sick=True, is_thorough=True),
    Scenario("unhealthy on the last of 3 hosts at once", deploy, "undone", hosts=3, width=0, is_sick=True),
    Scenario("failing migration", deploy, "undone", failing=(("one-off", "r2", "migrate"),)),
    Scenario("refused by the gate", deploy, "undone", failing=(("one-off", "r2"),), is_thorough=True),
    Scenario("failing switch on the last host", deploy, "undone", failing=(("switch", "web-r2"),)),
    Scenario("failing scheduler", deploy, "undone", width=0, failing=(("start", "beat", "r2"),)),
    Scenario("failing stop after the commit", deploy, "mixed", failing=(("stop", "worker", "r1"),), heals=True),
    Scenario(
        "failing switch back while unwinding",
        deploy,
        "mixed",
        failing=(("start", "beat", "r2"), ("switch", "web-r1")),
        heals=True,
    ),
    Scenario("rollback", roll_back, "done", old="r2", new="r1", is_thorough=True),
    Scenario("rollback on 3 hosts at once", roll_back, "done", hosts=3, width=0, old="r2", new="r1"),
    Scenario("unhealthy rollback", roll_back, "undone", old="r2", new="r1", is_sick=True),
)


def ids(scenarios: Sequence[Scenario]) -> Iterator[str]:
    return (scenario.name for scenario in scenarios)
