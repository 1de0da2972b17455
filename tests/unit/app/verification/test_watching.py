"""What the counts of hosts come to."""

from shipway.app.verification.watching import judge_traffic
from shipway.proxies.traffic import Seen, Traffic

GOOD = Seen(Traffic(1_000, 1, {20: 1_000}), Traffic(300, 0, {20: 300}))
STORM = Seen(Traffic(1_000, 1, {20: 1_000}), Traffic(300, 150, {20: 300}))
SLOW = Seen(Traffic(1_000, 1, {20: 1_000}), Traffic(300, 0, {45: 300}))


def test_good_traffic_passes_with_its_numbers() -> None:
    answer, is_slow = judge_traffic({"web-1": GOOD, "web-2": GOOD})
    assert (answer.state, is_slow) == ("passed", False)
    assert "before: 2000 requests, 2 errors" in answer.evidence[0]


def test_a_storm_on_one_of_many_hosts_is_found_and_named() -> None:
    answer, is_slow = judge_traffic({**{f"web-{n}": GOOD for n in range(1, 30)}, "web-30": STORM})
    assert (answer.state, is_slow) == ("failed", False)
    assert answer.what.startswith("web-30: 150 of 300")


def test_longer_times_are_told_apart() -> None:
    answer, is_slow = judge_traffic({"web-1": SLOW})
    assert (answer.state, is_slow) == ("failed", True)
    assert answer.what.startswith("half of the answers")
