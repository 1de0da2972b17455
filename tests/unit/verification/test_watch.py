"""When traffic is clearly worse, and when it only looks so."""

import random

import pytest

from shipway.proxies.traffic import BASE, Seen, Traffic, together
from shipway.verification.watch import bounds, longer_times, more_errors


def errors(requests: int, count: int) -> Traffic:
    return Traffic(requests, count)


@pytest.mark.parametrize(
    ("before", "since", "is_worse"),
    [
        (errors(10_000, 0), errors(400, 200), True),
        (errors(10_000, 10), errors(1_000, 60), True),
        (errors(0, 0), errors(100, 60), True),
        (errors(0, 0), errors(100, 20), False),
        (errors(10_000, 0), errors(20, 20), False),
        (errors(10_000, 0), errors(1_000, 4), False),
        (errors(10_000, 20), errors(1_000, 6), False),
        (errors(50, 0), errors(40, 5), False),
        (errors(50, 0), errors(60, 40), True),
        (errors(1_000, 500), errors(1_000, 520), False),
        (errors(1_000, 600), errors(1_000, 990), True),
        (errors(100_000, 0), errors(100_000, 900), False),
    ],
)
def test_the_share_of_errors(before: Traffic, since: Traffic, *, is_worse: bool) -> None:
    assert bool(more_errors(before, since)) == is_worse


def test_the_interval_is_wilsons() -> None:
    low, high = bounds(10, 100)
    assert (round(low, 3), round(high, 3)) == (0.046, 0.204)
    assert bounds(0, 0) == (0.0, 1.0)


def test_the_same_traffic_is_never_called_worse() -> None:
    """A thousand windows of every size, with the same share of errors before and since."""
    draw = random.Random(7)  # noqa: S311  the same numbers each time
    alarms = 0
    for _ in range(1_000):
        share, sizes = (
            draw.choice((0.0, 0.001, 0.01, 0.05, 0.2)),
            (draw.choice((0, 40, 300, 2_000)), draw.choice((30, 200, 1_000))),
        )
        counts = [sum(draw.random() < share for _ in range(size)) for size in sizes]
        alarms += bool(more_errors(errors(sizes[0], counts[0]), errors(sizes[1], counts[1])))
    assert alarms == 0


def times(**counts: int) -> Traffic:
    rows = {int(power[1:]): n for power, n in counts.items()}
    return Traffic(sum(rows.values()), 0, rows)


def test_quantiles_are_exact_to_a_power() -> None:
    found = times(p10=50, p20=50)
    assert found.quantile_ms(0.5) == pytest.approx(BASE**10)
    assert found.quantile_ms(0.9) == pytest.approx(BASE**20)
    assert Traffic().quantile_ms(0.5) == 0.0


FAST = times(p20=900, p25=100)  # 38 ms, one in ten 95 ms


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (times(p30=200), "half of the answers"),
        (times(p20=85, p45=35), "nine in ten"),
        (times(p22=200), ""),
        (times(p24=200), ""),
        (times(p20=190, p45=10), ""),
        (times(p45=99), ""),
    ],
)
def test_the_times(since: Traffic, said: str) -> None:
    assert said in longer_times(FAST, since)
    assert bool(longer_times(FAST, since)) == bool(said)
    assert longer_times(times(p20=50), since) == ""


def test_hosts_together() -> None:
    one = Seen(errors(10, 1), times(p3=2))
    both = together([one, one])
    assert (both.before.requests, both.before.errors, both.since.times) == (20, 2, {3: 4})
