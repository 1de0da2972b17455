"""Cron expressions against `cronsim`, which reads them as Debian's cron does, and by hand."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from shipway.core.cron import NAMES, calendars, next_after, parse_cron

NOW = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("*/15 * * * *", "2026-11-22 19:15"),
        ("0 19 * * *", "2026-11-23 19:00"),
        ("30 4 * * MON-FRI", "2026-11-23 04:30"),
        ("0 0 * * 7", "2026-11-29 00:00"),
        ("0 0 * * sun,Wed", "2026-11-25 00:00"),
        ("5 4 1,15 * *", "2026-12-01 04:05"),
        ("0 0 13 * FRI", "2026-11-27 00:00"),
        ("0 0 */2 * TUE", "2026-12-01 00:00"),
        ("0 0 29 FEB *", "2028-02-29 00:00"),
        ("10-40/10 0 * jan,mar *", "2027-01-01 00:10"),
        ("@daily", "2026-11-23 00:00"),
        ("@Hourly", "2026-11-22 20:00"),
        ("  @yearly ", "2027-01-01 00:00"),
    ],
)
def test_the_next_time(text: str, due: str) -> None:
    found = next_after(parse_cron(text), NOW)
    assert found is not None
    assert f"{found:%Y-%m-%d %H:%M}" == due


def test_a_zone_is_meant_as_it_is_named() -> None:
    found = next_after(parse_cron("0 9 * * *"), NOW.astimezone(ZoneInfo("Europe/Berlin")))
    assert found == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_a_time_that_a_change_of_clocks_leaves_out_still_comes_once() -> None:
    before = datetime(2027, 3, 28, 0, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # 02:30 is not on the clock that night
    found = next_after(parse_cron("30 2 * * *"), before)
    assert found == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "five fields"),
        ("* * * *", "not 4"),
        ("* * * * * *", "cron has no seconds"),
        ("@reboot", "there are @yearly"),
        ("60 * * * *", "minute: it is from 0 to 59"),
        ("* 24 * * *", "hour: it is from 0 to 23"),
        ("* * 0 * *", "day of the month: it is from 1 to 31"),
        ("* * * 13 *", "month: it is from 1 to 12"),
        ("* * * * 8", "day of the week: it is from 0 to 7"),
        ("* * * foo *", "names are jan"),
        ("* * * * mo", "write a number"),
        ("5/10 * * * *", "a step needs a range, such as `5-59/10`"),
        ("*/0 * * * *", "a step is from 1 to 59"),
        ("*/90 * * * *", "a step is from 1 to 59"),
        ("30-10 * * * *", "30 comes after 10"),
        ("*-5 * * * *", "`*` is every one already"),
        ("1,,2 * * * *", "has ``"),
        ("* * L * *", "has `l`"),
        ("* * ? * *", "has `?`"),
        ("* * * * 5#2", "has `5#2`"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("1 \uff12 * * *", "write a number"),
    ],
)
def test_what_is_no_cron_is_told(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the text is what is asserted
        parse_cron(text)
    assert said in str(caught.value)


def field(first: int, last: int) -> st.SearchStrategy[str]:
    number = st.integers(first, last)
    # cronsim takes `0-0/2` for every one, which no cron does
    pairs = st.tuples(number, number).filter(lambda pair: pair[0] != pair[1]).map(sorted)
    span = pairs.map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, max(1, last // 2))
    one = st.one_of(number.map(str), span, st.tuples(span, step).map(lambda p: f"{p[0]}/{p[1]}"))
    many = st.lists(one, min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), step.map(lambda n: f"*/{n}"), many)


EXPRESSIONS = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001  a zone is put on below
def test_it_is_due_when_the_cron_of_debian_is(text: str, after: datetime) -> None:
    cron, now = parse_cron(text), after.replace(tzinfo=UTC)
    theirs = CronSim(text, now)
    for _ in range(3):
        found = next_after(cron, now)
        assert found == next(theirs, None)
        if found is None:
            return
        now = found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/30 * * * *", ("*-*-* *:00,30:00 UTC",)),
        ("0 4 * * MON-FRI", ("Mon,Tue,Wed,Thu,Fri *-*-* 04:00:00 UTC",)),
        ("0 0 13 * FRI", ("*-*-13 00:00:00 UTC", "Fri *-*-* 00:00:00 UTC")),
        ("0 0 */15 * 7", ("Sun *-*-01,16,31 00:00:00 UTC",)),
        ("5 0 1 1,7 *", ("*-01,07-01 00:05:00 UTC",)),
        ("* * * * *", ("*-*-* *:*:00 UTC",)),
    ],
)
def test_the_same_times_as_systemd_writes_them(text: str, expected: tuple[str, ...]) -> None:
    assert calendars(parse_cron(text), "UTC") == expected


def test_every_name_is_five_fields() -> None:
    assert {name: parse_cron(name).text for name in NAMES} == dict(NAMES)
