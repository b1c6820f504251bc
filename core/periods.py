"""Days of the business, the periods that readers ask about, and the period that each compares with."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import Refusal

FIRST_DAY = date(1970, 1, 1)
"""Facts before this day are taken for mistakes: a date in 1066 is refused, not stored."""


class NotAPeriod(Refusal):
    """A date, zone or range that cannot be meant."""

    code = "not_a_period"
    status = 422


@dataclass(frozen=True, slots=True)
class Period:
    """Business days from `since` up to, and without, `until`."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.until <= self.since:
            raise NotAPeriod(f"The period ends on {self.until}, before it begins on {self.since}; swap the two dates.")

    @property
    def days(self) -> int:
        return (self.until - self.since).days

    @property
    def last_day(self) -> date:
        return self.until - timedelta(days=1)

    def __contains__(self, day: date) -> bool:
        return self.since <= day < self.until

    def before(self) -> Period:
        """The comparable period, to date with to date.

        A range that begins with a month and is longer than one compares with the same days so many months before
        (1 January to 9 December with 1 January to 9 December of the year before); others with as many days before.
        """
        months = months_begun(self)
        if self.since.day == 1 and (months > 1 or self.until.day == 1):
            return Period(add_months(self.since, -months), add_months(self.until, -months))
        return Period(self.since - timedelta(days=self.days), self.since)

    def year_before(self) -> Period:
        return Period(add_months(self.since, -12), add_months(self.until, -12))

    def to_date(self, today: date) -> Period:
        """The part that lies in the past, today included: to-date is compared with to-date."""
        return Period(self.since, max(min(self.until, today + timedelta(days=1)), self.since + timedelta(days=1)))


def months_begun(period: Period) -> int:
    """How many calendar months have a day in `period`."""
    last = period.last_day
    return (last.year - period.since.year) * 12 + last.month - period.since.month + 1


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_days(count: int, today: date) -> Period:
    """The `count` business days that end today."""
    return Period(today - timedelta(days=count - 1), today + timedelta(days=1))


def last_months(count: int, today: date) -> Period:
    """This month so far and the `count - 1` whole months before it."""
    return Period(add_months(today.replace(day=1), 1 - count), today + timedelta(days=1))


BUCKETS = ("day", "week", "month", "quarter", "year")


def bucket(name: str, day: date) -> Period:
    """The day, ISO week, month, quarter or year that `day` lies in."""
    if name == "day":
        return Period(day, day + timedelta(days=1))
    if name == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=7))
    months = {"month": 1, "quarter": 3, "year": 12}[name]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    return Period(first, add_months(first, months))


def bucket_for(period: Period) -> str:
    """The bucket that a chart of `period` reads best in: days to a month, weeks to half a year, then months."""
    if period.days <= 35:
        return "day"
    return "week" if period.days <= 190 else "month"


def is_whole(name: str, first: date, covered: Period) -> bool:
    """Whether a bucket lies within the days that data covers: an open month is marked, not called a collapse."""
    whole = bucket(name, first)
    return covered.since <= whole.since and whole.until <= covered.until


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as Europe/Berlin."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NotAPeriod(f"There is no time zone “{name[:60]}”; write an IANA name such as Europe/Berlin.") from None


def business_day(at: datetime, where: ZoneInfo) -> date:
    """The day of an instant in the program's zone, stored at write and never changed."""
    if at.tzinfo is None:
        raise NotAPeriod("A time without a zone has no business day; give it one first.")
    return at.astimezone(where).date()


def now() -> datetime:
    """This instant in UTC. Doors call it; rules are given the time."""
    return datetime.now(UTC)
