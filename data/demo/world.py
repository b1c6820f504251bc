"""The world that the demo lives in: its two years, its growth and seasons, its countries and their money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np
import polars as pl

from data.demo.chance import Array, Chance
from data.demo.stories import Story, planted

HISTORY_DAYS = 730
GROWTH_A_YEAR = 0.34
"""Logarithm of the yearly growth: the business is 1.4 times as large as a year ago."""

EPOCH_DAY = date(1970, 1, 1).toordinal()
_WEEKDAY = np.array([1.06, 1.04, 1.03, 1.05, 1.08, 0.90, 0.84])
_MONTH = np.array([0.92, 0.94, 0.98, 1.0, 1.02, 0.99, 0.93, 0.92, 1.0, 1.05, 1.16, 1.24])

REGIONS = ("na", "eu", "apac")
REGION_WEIGHT = (0.46, 0.33, 0.21)
COUNTRIES: tuple[tuple[str, str, float, str], ...] = (
    ("US", "na", 0.70, "USD"),
    ("CA", "na", 0.19, "USD"),
    ("MX", "na", 0.11, "USD"),
    ("DE", "eu", 0.34, "EUR"),
    ("FR", "eu", 0.24, "EUR"),
    ("NL", "eu", 0.14, "EUR"),
    ("ES", "eu", 0.14, "EUR"),
    ("IT", "eu", 0.14, "EUR"),
    ("JP", "apac", 0.50, "JPY"),
    ("KW", "apac", 0.14, "KWD"),
    ("AU", "apac", 0.20, "USD"),
    ("SG", "apac", 0.16, "USD"),
)
"""Country, its region, its share of the region, and the currency in which it pays."""

CURRENCIES = ("USD", "EUR", "JPY", "KWD")
DIGITS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
"""Digits after the point (ISO 4217)."""
CURRENCY_OF = np.array([CURRENCIES.index(country[3]) for country in COUNTRIES])
REGION_OF = np.array([REGIONS.index(country[1]) for country in COUNTRIES])
_UTC_HOURS = np.array([-5, 1, 9])
"""How far a region's clocks are from UTC, roughly: its people buy by day."""


@dataclass(frozen=True)
class World:
    """One demo: the same `today`, `seed` and `scale` make the same business, to the row."""

    today: date
    seed: int
    scale: float

    @cached_property
    def chance(self) -> Chance:
        return Chance(self.seed)

    @cached_property
    def stories(self) -> Mapping[str, Story]:
        return {story.code: story for story in planted(self.today)}

    @property
    def first(self) -> date:
        return self.today - timedelta(days=HISTORY_DAYS)

    @cached_property
    def days(self) -> Array:
        """Every day of the history as an ordinal, today last."""
        return np.arange(self.first.toordinal(), self.today.toordinal() + 1)

    @property
    def end(self) -> int:
        """The first moment after today, in microseconds since 1970."""
        return moment_of(self.today + timedelta(days=1))

    def months_ago(self, months: int) -> int:
        """The first day of the month `months` before this one, as an ordinal."""
        index = self.today.year * 12 + self.today.month - 1 - months
        return date(index // 12, index % 12 + 1, 1).toordinal()

    def trend(self, days: Array) -> Array:
        """Growth alone; 1 is the middle of the history. Anchored at this month's first: days keep their level."""
        return np.exp(GROWTH_A_YEAR * (days - self.months_ago(0) + HISTORY_DAYS / 2) / 365.0)

    def level(self, days: Array) -> Array:
        """How busy each day is: growth, season, weekday, the November sale, and the day's own luck."""
        calendar = (days - EPOCH_DAY).astype("datetime64[D]")
        month = calendar.astype("datetime64[M]").astype(int) % 12
        part = (calendar - calendar.astype("datetime64[M]")).astype(int) / 31.0
        season = _MONTH[month] * (1 - part) + _MONTH[(month + 1) % 12] * part
        luck = np.exp(0.045 * self.chance.normal("luck of the day", days))
        sale = np.where(in_november_sale(days), 1.35, 1.0)
        return np.asarray(self.trend(days) * season * _WEEKDAY[(days - 1) % 7] * sale * luck)

    def moments(self, days: Array, region: Array, what: str, *keys: Array) -> Array:
        """Moments within each UTC day, mostly when the region is awake."""
        drawn = self.chance
        waking = 15.0 + 4.2 * drawn.normal(f"{what}/hour", days, *keys)
        anytime = 24.0 * drawn.uniform(f"{what}/anytime", days, *keys)
        local = np.where(drawn.uniform(f"{what}/night owl", days, *keys) < 0.06, anytime, waking)
        seconds = np.floor((local - _UTC_HOURS[region]) % 24.0 * 3600.0).astype(np.int64)
        return np.asarray((days - EPOCH_DAY) * 86_400_000_000 + np.minimum(seconds, 86_399) * 1_000_000)


def in_november_sale(days: Array) -> Array:
    """The week of 24 to 30 November, in which everything is 15 % off."""
    calendar = (days - EPOCH_DAY).astype("datetime64[D]")
    start = (calendar.astype("datetime64[Y]").astype("datetime64[M]") + 10).astype("datetime64[D]")
    offset = (calendar - start).astype(int)
    return np.asarray((offset >= 23) & (offset <= 29))


def moment_of(at: date | datetime) -> int:
    """A day's first moment, or an instant in UTC, in microseconds since 1970."""
    day = (at.toordinal() - EPOCH_DAY) * 86_400_000_000
    if not isinstance(at, datetime):
        return day
    return day + (at.hour * 3600 + at.minute * 60 + at.second) * 1_000_000


def day_of(moments: Array) -> Array:
    """The UTC day of each moment, as an ordinal."""
    return moments // 86_400_000_000 + EPOCH_DAY


def instant(name: str, moments: Array) -> pl.Series:
    return pl.Series(name, moments, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))


def calendar_day(name: str, days: Array) -> pl.Series:
    return pl.Series(name, days - EPOCH_DAY, dtype=pl.Int32).cast(pl.Date)


def named(name: str, values: tuple[str, ...] | list[str], positions: Array) -> pl.Series:
    """The text at each position; −1 stands for none."""
    series = pl.Series(name, list(values), dtype=pl.String)
    found = pl.Series(np.where(positions < 0, 0, positions), dtype=pl.UInt32)
    return series.gather(found).zip_with(pl.Series(positions >= 0), pl.Series([None], dtype=pl.String)).alias(name)


def major(minor: str, currency: str) -> pl.Expr:
    """Minor units as the plain decimal that a file would carry: 1234 of KWD is 1.234."""
    amount, size = pl.col(minor), pl.col(minor).abs()
    sign = pl.when(amount < 0).then(pl.lit("-")).otherwise(pl.lit(""))

    def pointed(digits: int) -> pl.Expr:
        part = (size % 10**digits).cast(pl.String).str.zfill(digits)
        return pl.concat_str(sign, (size // 10**digits).cast(pl.String), pl.lit("."), part)

    chosen = pl.when(pl.col(currency) == "JPY").then(amount.cast(pl.String))
    return chosen.when(pl.col(currency) == "KWD").then(pointed(3)).otherwise(pointed(2))
