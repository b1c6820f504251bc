"""A number beside the one that it is compared with: cards, trends and breakdowns as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from core.insights import Question, ask, fact_days, one, today
from core.periods import Period, add_months, bucket, is_whole, months_begun
from core.viewer import Viewer
from data.metrics import Metric

SPARK_DAYS = 7
OTHER = "\0other"
"""The key of the rest: no value of a dimension can hold this character."""


@dataclass(frozen=True, slots=True)
class Kpi:
    """One metric over a period: its value, the comparable one, and how it went.

    `value` and `before` are in the metric's unit (minor units, a count, a share of one). `change` is relative to
    `before`, for ratios the difference in points; None where there is nothing to compare with. `spark` is a rolling
    seven-day sum for sums, the daily value for others.
    """

    metric: Metric
    value: int | float | None
    before: int | float | None
    change: float | None
    spark: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket of a trend: its first and last day, the value, the comparable value, and whether it is over."""

    first: date
    last: date
    value: int
    before: int | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a dimension: its own sum, the comparable sum if there is one, and its share of the whole."""

    key: str
    value: int
    before: int | None
    share: float | None


def kpi(viewer: Viewer, question: Question, currency: str, *, spark: bool = True) -> Kpi:
    """A card's numbers; `currency` picks the rows of money metrics."""
    metric = one(viewer, question.metric)
    value = ask(viewer, question).total(currency)
    former = comparable(viewer, question.period)
    before = ask(viewer, question.over(former)).total(currency) if former else None
    return Kpi(
        metric, value, before, change(metric, value, before), spark_of(viewer, question, currency) if spark else ()
    )


def comparable(viewer: Viewer, period: Period | None) -> Period | None:
    """The period to compare with; none where the data does not reach back to its beginning: that would flatter."""
    days = fact_days(viewer)
    if period is None or days is None or period.before().since < days[0]:
        return None
    return period.before()


def change(metric: Metric, value: float | None, before: float | None) -> float | None:
    """How far the value moved, against the size of the one before; a loss that grows is a fall, not a rise."""
    if value is None or before is None:
        return None
    if metric.unit == "ratio":
        return value - before
    if metric.good == "down":  # refunds are negative money: more of them is further from zero
        value, before = abs(value), abs(before)
    return (value - before) / abs(before) if before else None


def spark_of(viewer: Viewer, question: Question, currency: str) -> tuple[float, ...]:
    """The whole days of the period, as sums over seven days, so that weekends do not saw; today is not over."""
    period = question.period
    if period is None:
        return ()
    if period.since < today() < period.until:
        period = Period(period.since, today())
        question = question.over(period)
    daily = by_day(viewer, question, currency)
    values = [float(daily.get(period.since + timedelta(days=n), 0) or 0) for n in range(period.days)]
    if one(viewer, question.metric).unit == "ratio":
        return tuple(smoothed(values))
    rolled = [sum(values[max(0, n - SPARK_DAYS + 1) : n + 1]) for n in range(len(values))]
    return tuple(thinned(rolled[SPARK_DAYS - 1 :] or rolled))


def smoothed(values: Sequence[float]) -> list[float]:
    means = [sum(values[max(0, n - 6) : n + 1]) / len(values[max(0, n - 6) : n + 1]) for n in range(len(values))]
    return thinned(means)


def thinned(values: Sequence[float], most: int = 90) -> list[float]:
    step = max(1, len(values) // most)
    return list(values[::-1][::step][::-1])


def by_day(viewer: Viewer, question: Question, currency: str) -> dict[date, Any]:
    answer = ask(viewer, replace(question, by=("day",)))
    rows = in_currency(answer.rows, currency)
    return dict(zip(rows["day"].to_list(), rows[answer.metric.answer].to_list(), strict=True))


def in_currency(rows: pl.DataFrame, currency: str) -> pl.DataFrame:
    return rows.filter(pl.col("currency") == currency) if "currency" in rows.columns else rows


def trend(viewer: Viewer, question: Question, currency: str, size: str, covered: Period) -> list[Point]:
    """A sum by bucket, beside the comparable period laid over the same buckets. Open buckets are marked.

    The first and the last bucket hold only the days of the period; `covered` are the days that data reaches.
    """
    period = question.period
    if period is None:
        return []
    now = by_day(viewer, question, currency)
    former = comparable(viewer, period)
    laid: dict[date, int] = {}
    for day, value in by_day(viewer, question.over(former), currency).items() if former else ():
        laid[laid_over(day, period, size)] = laid.get(laid_over(day, period, size), 0) + (value or 0)
    sums: dict[date, int] = dict.fromkeys(firsts(period, size), 0)
    for day, value in now.items():
        sums[bucket(size, day).since] = sums.get(bucket(size, day).since, 0) + int(value or 0)
    return [
        Point(
            max(first, period.since),
            min(bucket(size, first).last_day, period.last_day),
            value,
            laid.get(first, 0) if former else None,
            is_whole(size, first, covered),
        )
        for first, value in sorted(sums.items())
    ]


def firsts(period: Period, size: str) -> list[date]:
    found, first = [], bucket(size, period.since).since
    while first < period.until:
        found.append(first)
        first = bucket(size, first).until
    return found


def laid_over(day: date, period: Period, size: str) -> date:
    """The bucket of the period that a day of the comparable period is held against.

    Months differ in length: what would lie behind the period's end is held against its last day, and nothing is lost.
    """
    before = period.before()
    if size == "month" and period.since.day == 1:
        return add_months(day.replace(day=1), months_begun(period))
    return bucket(size, min(day + (period.since - before.since), period.last_day)).since


def breakdown(viewer: Viewer, question: Question, currency: str, dimension: str, most: int = 10) -> list[Part]:
    """The largest values of a dimension with their comparable sums; the rest as one part named `OTHER`.

    Values that only the comparable period has stand here too, so that both columns add up to their wholes.
    """
    asked = replace(question, by=(dimension,))
    now = parts(viewer, asked, currency)
    earlier = comparable(viewer, question.period)
    former = parts(viewer, asked.over(earlier), currency) if earlier else {}
    whole = sum(now.values())

    def part(name: str, keys: Sequence[str]) -> Part:
        value = sum(now.get(key, 0) for key in keys)
        before = sum(former.get(key, 0) for key in keys) if earlier else None
        return Part(name, value, before, value / whole if whole else None)

    ordered = sorted({*now, *former}, key=lambda key: (-abs(now.get(key, 0)), -abs(former.get(key, 0)), key))
    found = [part(key, [key]) for key in ordered[:most]]
    return [*found, part(OTHER, ordered[most:])] if ordered[most:] else found


def parts(viewer: Viewer, question: Question, currency: str) -> dict[str, int]:
    answer = ask(viewer, question)
    found: dict[str, int] = {}
    for key, value in in_currency(answer.rows, currency).select(question.by[0], answer.metric.answer).iter_rows():
        found[key or ""] = found.get(key or "", 0) + int(value or 0)
    return found


def stacked(
    viewer: Viewer, question: Question, currency: str, size: str, dimension: str, most: int = 6
) -> Mapping[str, Mapping[date, int]]:
    """A sum by bucket, split by the largest values of a dimension."""
    answer = ask(viewer, replace(question, by=("day", dimension)))
    rows = in_currency(answer.rows, currency)
    totals: dict[str, int] = {}
    cells: dict[tuple[str, date], int] = {}
    for day, key, value in rows.select("day", dimension, answer.metric.answer).iter_rows():
        name = key or ""
        totals[name] = totals.get(name, 0) + int(value or 0)
        cell = (name, bucket(size, day).since)
        cells[cell] = cells.get(cell, 0) + int(value or 0)
    largest = sorted(totals, key=lambda name: (-abs(totals[name]), name))[:most]
    split: dict[str, dict[date, int]] = {name: {} for name in largest}
    for (name, first), value in cells.items():
        line = split.setdefault(name if name in largest else OTHER, {})
        line[first] = line.get(first, 0) + value
    return split


def left_out(viewer: Viewer, question: Question, currency: str) -> dict[str, int]:
    """What an answer in one currency leaves out: sums that have no rate yet, by their own currency."""
    rows = ask(viewer, replace(question, by=())).rows
    if "currency" not in rows.columns:
        return {}
    value = one(viewer, question.metric).answer
    return {name: int(v) for name, v in rows.select("currency", value).iter_rows() if name != currency and v}
