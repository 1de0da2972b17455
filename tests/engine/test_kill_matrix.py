"""The client is killed before and after every command that reaches a host; whatever is tried next must work.

A host goes on for a while with what it was sent: a track is one exchange of many commands.

The points cover the lock, the ledger, every action, in runs that succeed and in runs that fail and unwind. Kills at two
points that leave the same fleet behind have the same future (after a command, and before the next one), so one of them
is made, and its recoveries tried once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count

import pytest

from shipway.planning.site import Site
from tests.engine.client import Verb, assert_serves, recover, run_client
from tests.engine.scenarios import RECOVERIES, SCENARIOS, Scenario, heal, ids
from tests.engine.sim_host import Fleet
from tests.engine.sim_transport import ALL_OF_IT, Killed, Switch

Count = Callable[[str, object], None]


def killed_fleets(
    run: Callable[[Fleet, Switch], object],
    base: Fleet,
    points: Iterable[int],
    goes_on: Callable[[int], int] = lambda _: 0,
) -> Iterator[tuple[int, Fleet]]:
    """Yield the fleet as it is left by a kill at each of `points`, until the run is no longer hit.

    `goes_on`: for a point, how many commands every host still runs of what it was sent.
    """
    for at in points:
        fleet = base.copy()
        try:
            run(fleet, Switch(at, goes_on=goes_on(at)))
        except Killed:
            yield at, fleet
            continue
        return


@pytest.mark.parametrize("scenario", SCENARIOS, ids=ids(SCENARIOS))
def test_the_run_by_itself(scenario: Scenario) -> None:
    site = scenario.site()
    fleet = scenario.fleet(site)
    outcome = run_client(scenario.verb, site, fleet)
    assert outcome is not None
    assert outcome.ending == scenario.ending, outcome.error()
    if scenario.ending != "mixed":
        assert_serves(site, fleet, {scenario.new if scenario.ending == "done" else scenario.old})
    assert not any("/lock/held" in path for host in fleet.hosts.values() for path in host.files)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=ids(SCENARIOS))
def test_killed_at_every_point(scenario: Scenario, record_property: Count) -> None:
    site = scenario.site()
    base = scenario.fleet(site)
    walk = Switch(states=[])
    run_client(scenario.verb, site, base.copy(), walk)
    first_at = {state: at for at, state in reversed(list(enumerate(walk.states or ())))}
    recoveries = 0
    points = sorted(first_at.values())
    for number, (at, left) in enumerate(
        killed_fleets(lambda f, s: run_client(scenario.verb, site, f, s), base, points)
    ):
        assert not left.broken, f"point {at}: {left.broken[0]}"
        assert left.state() in first_at, "a kill leaves what the walk has seen at that point"
        for name in RECOVERIES if scenario.is_thorough else (tuple(RECOVERIES)[number % 3],):
            recoveries += 1
            try:
                scenario.recovered(name, site, left.copy())
            except Exception as error:
                raise AssertionError(f"killed at point {at}, then {name}: {error}") from error
    assert number + 1 == len(points), "every point was hit"
    assert walk.passed > 50
    record_property("kill_points", walk.passed)
    record_property("recoveries", recoveries)


GOES_ON: tuple[Callable[[int], int], ...] = (lambda at: 1 + at % 7, lambda _: ALL_OF_IT)
STRIDE = 3


@pytest.mark.parametrize("scenario", SCENARIOS, ids=ids(SCENARIOS))
def test_killed_while_the_hosts_go_on(scenario: Scenario, record_property: Count) -> None:
    """Where one host is at work it only comes further; where several are, each comes as far as it likes."""
    site = scenario.site()
    base = scenario.fleet(site)
    walk = Switch(states=[])
    run_client(scenario.verb, site, base.copy(), walk)
    seen = set(walk.states or ())
    points = recoveries = 0
    for first, goes_on in enumerate(GOES_ON):
        run = partial(run_client, scenario.verb, site)
        for at, left in killed_fleets(run, base, count(first, STRIDE), goes_on):
            points += 1
            assert not left.broken, f"point {at}: {left.broken[0]}"
            if left.state() in seen:
                continue
            seen.add(left.state())
            name = tuple(RECOVERIES)[recoveries % 3]
            recoveries += 1
            try:
                scenario.recovered(name, site, left)
            except Exception as error:
                raise AssertionError(f"killed at point {at}, then {name}: {error}") from error
    record_property("kill_points", points)
    record_property("recoveries", recoveries)


TWICE = tuple(s for s in SCENARIOS if s.hosts == 2)
FIRST, AGAIN = 37, 41
"""Every so manieth point is tried, of the run and of the recovery: primes, so that the sample does not fall into step
with the commands of a step."""


@pytest.mark.parametrize("scenario", TWICE, ids=ids(TWICE))
def test_killed_again_while_recovering(scenario: Scenario, record_property: Count) -> None:
    site = scenario.site()
    recoveries = 0
    base = scenario.fleet(site)
    names = tuple(RECOVERIES)
    for at, left in killed_fleets(lambda f, s: run_client(scenario.verb, site, f, s), base, count(5, FIRST)):
        for number, name in enumerate(names):
            heal(left, name, heals=scenario.heals)
            again = partial(_recover, RECOVERIES[name], site)
            for point, twice in killed_fleets(again, left, count(at % AGAIN, AGAIN)):
                recoveries += 1
                _recovered_twice(scenario, site, twice, names[(number + point) % 3])
    record_property("kill_points", recoveries)
    record_property("recoveries", recoveries)


def _recover(verb: Verb, site: Site, fleet: Fleet, switch: Switch) -> None:
    recover(verb, site, fleet, switch)


def _recovered_twice(scenario: Scenario, site: Site, fleet: Fleet, name: str) -> None:
    """After two kills by different verbs any release may be the one; that there is only one is what counts."""
    heal(fleet, name, heals=scenario.heals)
    recover(RECOVERIES[name], site, fleet)
    assert_serves(site, fleet, {"r1", "r2", "r3", "r4", "r5"})
