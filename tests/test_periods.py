"""Days, periods, what they compare with, and the buckets that charts draw."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import periods
from core.periods import NotAPeriod, Period, add_months, bucket, business_day, is_whole, zone

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def spanning(first: str, last: str) -> Period:
    """A period as people say it: both days included."""
    return Period(date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1))


def test_a_period_that_ends_before_it_begins_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(NotAPeriod, match="swap the two dates"):
        Period(date(2026, 3, 2), date(2026, 3, 1))
    with pytest.raises(NotAPeriod):
        Period(date(2026, 3, 1), date(2026, 3, 1))


def test_a_period_holds_its_first_and_its_last_day_and_no_other() -> None:
    march = spanning("2026-03-01", "2026-03-31")
    assert (march.days, march.last_day) == (31, date(2026, 3, 31))
    assert date(2026, 3, 1) in march
    assert date(2026, 3, 31) in march
    assert date(2026, 4, 1) not in march
    assert date(2026, 2, 28) not in march


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (("2011-01-01", "2011-12-09"), ("2010-01-01", "2010-12-09")),  # a year to date
        (("2026-01-01", "2026-12-31"), ("2025-01-01", "2025-12-31")),
        (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),  # a whole month with the whole month before
        (("2026-03-01", "2026-03-09"), ("2026-02-20", "2026-02-28")),  # within a month: as many days before
        (("2026-03-15", "2026-04-14"), ("2026-02-12", "2026-03-14")),
        (("2026-02-01", "2026-03-31"), ("2025-12-01", "2026-01-31")),
        (("2025-12-01", "2026-11-21"), ("2024-12-01", "2025-11-21")),  # twelve months, the last one open
        (("2026-08-24", "2026-11-21"), ("2026-05-26", "2026-08-23")),  # ninety days
        (("2024-01-01", "2024-02-29"), ("2023-11-01", "2023-12-31")),  # to the end of a leap February
        (("2026-11-21", "2026-11-21"), ("2026-11-20", "2026-11-20")),
    ],
)
def test_to_date_is_compared_with_to_date(period: tuple[str, str], before: tuple[str, str]) -> None:
    assert spanning(*period).before() == spanning(*before)


@given(days, st.integers(1, 1000))
def test_the_comparable_period_ends_before_the_period_begins(since: date, count: int) -> None:
    period = Period(since, since + timedelta(days=count))
    before = period.before()
    assert before.until <= period.since
    assert abs(before.days - period.days) <= 3, "months differ by three days at most"


def test_ninety_days_end_today() -> None:
    assert periods.last_days(90, date(2026, 11, 21)) == spanning("2026-08-24", "2026-11-21")
    assert periods.last_days(1, date(2026, 11, 21)).days == 1


def test_twelve_months_are_this_month_so_far_and_eleven_whole_ones() -> None:
    assert periods.last_months(12, date(2026, 11, 21)) == spanning("2025-12-01", "2026-11-21")
    assert periods.last_months(1, date(2026, 11, 1)) == spanning("2026-11-01", "2026-11-01")


@pytest.mark.parametrize(
    ("day", "months", "found"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2024-02-29", -12, "2023-02-28"),
        ("2026-05-31", 0, "2026-05-31"),
    ],
)
def test_a_month_on_from_its_end_stays_within_the_month(day: str, months: int, found: str) -> None:
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(found)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("day", "2026-11-21", "2026-11-21"),
        ("week", "2026-11-16", "2026-11-22"),  # Monday to Sunday
        ("month", "2026-11-01", "2026-11-30"),
        ("quarter", "2026-10-01", "2026-12-31"),
        ("year", "2026-01-01", "2026-12-31"),
    ],
)
def test_a_day_lies_in_its_bucket(name: str, first: str, last: str) -> None:
    assert bucket(name, date(2026, 11, 21)) == spanning(first, last)


@given(days, st.sampled_from(periods.BUCKETS))
def test_buckets_follow_one_another_without_a_gap(day: date, name: str) -> None:
    found = bucket(name, day)
    assert day in found
    assert bucket(name, found.last_day) == found
    assert bucket(name, found.until).since == found.until


@pytest.mark.parametrize(("count", "name"), [(1, "day"), (35, "day"), (36, "week"), (190, "week"), (191, "month")])
def test_a_chart_has_neither_too_few_bars_nor_too_many(count: int, name: str) -> None:
    assert periods.bucket_for(periods.last_days(count, date(2026, 11, 21))) == name


def test_the_december_of_which_nine_days_are_known_is_not_whole() -> None:
    known = spanning("2010-12-01", "2011-12-09")
    assert not is_whole("month", date(2011, 12, 1), known)
    assert is_whole("month", date(2011, 11, 1), known)
    assert is_whole("month", date(2010, 12, 1), known)
    assert not is_whole("week", date(2011, 12, 5), known)


def test_the_part_of_a_period_that_is_past_ends_today() -> None:
    november = spanning("2026-11-01", "2026-11-30")
    assert november.to_date(date(2026, 11, 21)) == spanning("2026-11-01", "2026-11-21")
    assert november.to_date(date(2026, 12, 24)) == november
    assert november.to_date(date(2026, 1, 1)).days == 1, "a period to come is asked for by its first day"


def test_a_year_before_is_the_same_days_a_year_before() -> None:
    assert spanning("2026-03-01", "2026-03-09").year_before() == spanning("2025-03-01", "2025-03-09")


@pytest.mark.parametrize(
    ("at", "where", "day"),
    [
        ("2026-04-01T03:30:00+00:00", "America/New_York", "2026-03-31"),  # 23:30 there: March
        ("2026-04-01T04:00:00+00:00", "America/New_York", "2026-04-01"),
        ("2026-03-08T07:00:00+00:00", "America/New_York", "2026-03-08"),  # the hour that the clocks leave out
        ("2026-11-01T05:30:00+00:00", "America/New_York", "2026-11-01"),  # the hour that comes twice
        ("2026-12-31T10:00:00+00:00", "Pacific/Kiritimati", "2027-01-01"),
        ("2026-12-31T23:59:59.999999+00:00", "UTC", "2026-12-31"),
    ],
)
def test_a_business_day_is_that_of_the_program_s_zone(at: str, where: str, day: str) -> None:
    assert business_day(datetime.fromisoformat(at), zone(where)) == date.fromisoformat(day)


def test_a_time_without_a_zone_has_no_business_day() -> None:
    with pytest.raises(NotAPeriod, match="without a zone"):
        business_day(datetime(2026, 3, 1), zone("UTC"))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "a\x00b", "x" * 5000, "/etc/localtime"])
def test_a_zone_that_does_not_exist_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(NotAPeriod, match="Europe/Berlin"):
        zone(name)


def test_this_instant_is_known_in_utc() -> None:
    assert periods.now().tzinfo is UTC
