"""The connection to one host breaks at every point: for a moment, or for the rest of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipway.core.errors import Refused, ShipwayError
from shipway.engine.outcome import Outcome
from tests.engine.client import assert_serves, run_client
from tests.engine.scenarios import RECOVERIES, SCENARIOS, Scenario
from tests.engine.sim_host import Fleet
from tests.engine.sim_transport import ALL_OF_IT, Cut, Switch

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
CUTS: tuple[tuple[str, Cut, int], ...] = (
    ("deploy", "blip", 0),
    ("deploy", "blip", 3),
    ("deploy", "blip", ALL_OF_IT),
    ("deploy on one host", "blip", 4),
    ("deploy", "outage", 0),
    ("deploy on one host", "outage", ALL_OF_IT),
    ("unhealthy on the last host", "blip", 0),
    ("unhealthy on the last host", "outage", 5),
    ("rollback", "outage", ALL_OF_IT),
)
CASES = [
    (scenario, cut, host, goes_on)
    for name, cut, goes_on in CUTS
    for scenario in (BY_NAME[name],)
    for host in ("app-1", "app-2")[: scenario.hosts]
]


@pytest.mark.parametrize(
    ("scenario", "cut", "host", "goes_on"), CASES, ids=[f"{s.name}, {c} of {h} + {n}" for s, c, h, n in CASES]
)
def test_lost_at_every_point(
    scenario: Scenario, cut: Cut, host: str, goes_on: int, record_property: Callable[[str, object], None]
) -> None:
    site = scenario.site()
    base = scenario.fleet(site)
    at = recoveries = 0
    endings: dict[str, int] = {}
    seen: set[object] = set()
    while True:
        fleet, switch = base.copy(), Switch(at, cut, host, goes_on)
        ending, said = _end(run_client, scenario, fleet, switch)
        if switch.passed <= at:
            break
        at += 1
        endings[ending] = endings.get(ending, 0) + 1
        assert not fleet.broken, f"point {at - 1}: {fleet.broken[0]}"
        try:
            if ending == "done":
                assert_serves(site, fleet, {scenario.new})
            elif ending in ("undone", "interrupted"):
                assert_serves(site, fleet, {scenario.old})
            if ending == scenario.ending or (state := fleet.state()) in seen:
                continue
            seen.add(state)
            recoveries += 1
            scenario.recovered(tuple(RECOVERIES)[recoveries % 3], site, fleet)
        except Exception as error:
            raise AssertionError(f"{cut} at point {at - 1} ended {ending}: {error}; {said}") from error
    assert at > 50
    assert endings.get("mixed" if cut == "outage" else scenario.ending, 0) > 0
    record_property("kill_points", at)
    record_property("recoveries", recoveries)


def _end(run: Callable[..., Outcome | None], scenario: Scenario, fleet: Fleet, switch: Switch) -> tuple[str, str]:
    try:
        outcome = run(scenario.verb, scenario.site(), fleet, switch)
    except ShipwayError as error:
        if isinstance(error, Refused):
            raise
        return "raised", str(error)
    return ("none", "") if outcome is None else (outcome.ending, repr(outcome.error()))
