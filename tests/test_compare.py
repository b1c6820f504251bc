"""A number beside the one it is compared with: cards, trends, breakdowns, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import compare
from core.compare import OTHER
from core.insights import Question, ask, one
from core.partners import registry
from core.periods import Period, bucket, bucket_for
from core.runtime import House, transaction
from core.viewer import SYSTEM

FIRST, DAYS = date(2025, 1, 1), 420
COUNTRIES = ("DE", "FR", "US", "JP", "BR", "IN", "")
COVERED = Period(FIRST, FIRST + timedelta(days=DAYS))
MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
WHERE = {"country": ("DE",)}


def lines() -> Iterator[dict[str, Any]]:
    """A sale a day, now and then one taken back, a few without a rate; and a market that closed in February 2025."""
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        sold = {
            "order_id": f"o{number}",
            "at": f"{day}T12:00:00Z",
            "amount": f"{10 + number % 7}.{number % 100:02d}",
            "currency": "USD",
            "partner": ("acme", "birch", None)[number % 3],
            "customer": f"c{number % 11}",
            "country": COUNTRIES[number % 7],
            "channel": "other" if number % 5 else "shop",
            "kind": "sale",
        }
        yield sold
        if number % 10 == 9:
            yield {**sold, "order_id": f"r{number}", "kind": "refund", "amount": "-3.33"}
        if number % 50 == 0:
            yield {**sold, "order_id": f"e{number}", "currency": "EUR", "amount": "5.00"}
        if day < date(2025, 3, 1):
            yield {**sold, "order_id": f"n{number}", "country": "NL", "amount": "2.00"}


@pytest.fixture(scope="module", autouse=True)
def shop(
    open_house: Callable[..., Any], sell: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("compare")) as house:
        with transaction() as db:
            for code in ("acme", "birch"):
                registry.enrol(db, SYSTEM, {"code": code, "name": code.title(), "type": "affiliate"})
        sell(house, list(lines()))
        yield house


def net(period: Period | None = None, **more: Any) -> Question:
    return Question("net_revenue", period, **{"currency": "USD", **more})


def total(question: Question) -> int:
    return int(ask(SYSTEM, question).total("USD") or 0)


periods = st.builds(
    lambda start, count: Period(FIRST + timedelta(days=start), FIRST + timedelta(days=start + count)),
    st.integers(0, DAYS - 1),
    st.integers(1, DAYS),
)


@pytest.mark.parametrize(
    ("value", "before", "found"),
    [
        (150, 100, 0.5),
        (50, 100, -0.5),
        (0, 100, -1.0),
        (100, 100, 0.0),
        (100, 0, None),
        (0, 0, None),
        (None, 100, None),
        (100, None, None),
        (-50, 100, -1.5),  # from a gain to a loss
        (50, -100, 1.5),
        (-200, -100, -1.0),  # a loss that doubles is no rise
        (-50, -100, 0.5),
        (0, -100, 1.0),
    ],
)
def test_a_change_is_relative_to_the_size_of_the_value_before(
    value: int | None, before: int | None, found: float | None
) -> None:
    assert compare.change(one(SYSTEM, "net_revenue"), value, before) == found


@pytest.mark.parametrize(("value", "before", "found"), [(-200, -100, 1.0), (-50, -100, -0.5), (0, -100, -1.0)])
def test_refunds_that_grow_are_a_rise_though_they_are_negative_money(value: int, before: int, found: float) -> None:
    assert compare.change(one(SYSTEM, "refunds"), value, before) == found


def test_a_ratio_changes_by_points() -> None:
    assert compare.change(one(SYSTEM, "refund_rate"), 0.25, 0.5) == -0.25
    assert compare.change(one(SYSTEM, "refund_rate"), 0.25, 0.0) == 0.25
    assert compare.change(one(SYSTEM, "refund_rate"), None, 0.5) is None


def test_a_card_holds_the_value_and_the_comparable_one() -> None:
    found = compare.kpi(SYSTEM, net(MARCH), "USD")
    assert found.value == total(net(MARCH))
    assert found.before == total(net(Period(date(2025, 2, 1), date(2025, 3, 1))))
    assert found.change == pytest.approx(found.value / found.before - 1)


def test_a_card_compares_with_nothing_where_data_does_not_reach_back() -> None:
    january = Period(FIRST, date(2025, 2, 1))
    found = compare.kpi(SYSTEM, net(january), "USD")
    assert (found.value, found.before, found.change) == (total(net(january)), None, None)
    half_known = Period(date(2025, 1, 20), date(2025, 2, 20))
    assert compare.comparable(SYSTEM, half_known) is None


def test_a_sparkline_adds_seven_days_and_leaves_today_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ten = Period(date(2025, 3, 1), date(2025, 3, 11))
    whole = compare.spark_of(SYSTEM, net(ten), "USD")
    assert len(whole) == 4
    assert whole[-1] == total(net(Period(date(2025, 3, 4), date(2025, 3, 11))))
    monkeypatch.setattr(compare, "today", lambda: date(2025, 3, 10))
    assert compare.spark_of(SYSTEM, net(ten), "USD") == whole[:-1]


@pytest.mark.parametrize("until", [date(2025, 3, 11), date(2025, 3, 12), date(2025, 4, 1)])
def test_a_period_that_begins_today_has_a_sparkline_too(until: date, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "today", lambda: date(2025, 3, 10))
    assert len(compare.spark_of(SYSTEM, net(Period(date(2025, 3, 10), until)), "USD")) >= 1


def test_a_long_sparkline_is_thinned_and_keeps_its_end() -> None:
    assert compare.thinned([float(n) for n in range(400)])[-1] == 399.0
    assert len(compare.thinned([0.0] * 4000)) < 200


@pytest.mark.parametrize("count", [7, 30, 90, 190, 400])
def test_a_trend_adds_up_to_the_number_above_it(count: int) -> None:
    period = Period(COVERED.until - timedelta(days=count), COVERED.until)
    points = compare.trend(SYSTEM, net(period), "USD", bucket_for(period), COVERED)
    assert sum(point.value for point in points) == total(net(period))
    assert (points[0].first, points[-1].last) == (period.since, period.last_day)
    assert all(one.last + timedelta(days=1) == two.first for one, two in pairwise(points))


def test_a_trend_s_comparison_adds_up_to_the_number_it_is_compared_with() -> None:
    february_on = Period(date(2026, 1, 1), date(2026, 2, 20))
    points = compare.trend(SYSTEM, net(february_on), "USD", "week", COVERED)
    assert sum(point.before or 0 for point in points) == total(net(february_on.before()))


@given(periods)
@example(Period(date(2026, 2, 1), date(2026, 3, 4)))  # the 34 days before, over 31
def test_every_day_of_the_comparable_period_is_held_against_a_bar(period: Period) -> None:
    size = bucket_for(period)
    bars = compare.firsts(period, size)
    before = period.before()
    for number in range(before.days):
        assert compare.laid_over(before.since + timedelta(days=number), period, size) in bars


def test_months_are_held_against_the_months_before() -> None:
    year = Period(date(2026, 1, 1), date(2026, 2, 25))
    assert compare.laid_over(date(2025, 11, 1), year, "month") == date(2026, 1, 1)
    assert compare.laid_over(date(2025, 11, 30), year, "month") == date(2026, 1, 1)
    assert compare.laid_over(date(2025, 12, 25), year, "month") == date(2026, 2, 1)


def test_a_month_that_data_does_not_fill_is_marked() -> None:
    known = Period(FIRST, date(2025, 12, 10))
    points = compare.trend(SYSTEM, net(Period(FIRST, date(2025, 12, 10))), "USD", "month", known)
    assert [point.is_whole for point in points] == [True] * 11 + [False]
    assert points[-1].last == date(2025, 12, 9)


def test_a_bar_that_the_period_cuts_is_marked() -> None:
    cut = Period(date(2025, 3, 5), date(2025, 5, 1))  # begins on a Wednesday
    points = compare.trend(SYSTEM, net(cut), "USD", "week", cut)
    assert not points[0].is_whole
    assert points[1].is_whole


def test_without_a_period_there_is_no_trend_and_no_sparkline() -> None:
    assert compare.trend(SYSTEM, net(), "USD", "month", COVERED) == []
    assert compare.spark_of(SYSTEM, net(), "USD") == ()


@pytest.mark.parametrize("dimension", ["country", "partner", "channel", "product", "region", "partner_type", "source"])
@pytest.mark.parametrize("most", [1, 3, 100])
def test_a_breakdown_adds_up_to_the_whole_on_both_sides(dimension: str, most: int) -> None:
    found = compare.breakdown(SYSTEM, net(MARCH), "USD", dimension, most)
    assert sum(part.value for part in found) == total(net(MARCH))
    assert sum(part.before or 0 for part in found) == total(net(MARCH.before()))
    assert sum(part.share or 0 for part in found) == pytest.approx(1)
    assert len(found) <= most + 1


def test_a_breakdown_names_the_largest_first_and_rows_without_a_value_by_nothing() -> None:
    found = compare.breakdown(SYSTEM, net(MARCH), "USD", "country", 3)
    assert [part.value for part in found[:3]] == sorted((part.value for part in found[:3]), reverse=True)
    assert found[-1].key == OTHER
    assert "" in {part.key for part in compare.breakdown(SYSTEM, net(MARCH), "USD", "country", 100)}


def test_a_market_that_fell_to_nothing_is_still_told() -> None:
    gone = next(part for part in compare.breakdown(SYSTEM, net(MARCH), "USD", "country", 100) if part.key == "NL")
    assert (gone.value, gone.before) == (0, 28 * 200)


def test_a_channel_that_is_called_other_is_not_the_rest() -> None:
    found = compare.breakdown(SYSTEM, net(MARCH), "USD", "channel", 1)
    assert [part.key for part in found] == ["other", OTHER]
    split = compare.stacked(SYSTEM, net(MARCH), "USD", "week", "channel", 1)
    assert set(split) == {"other", OTHER}


def test_a_breakdown_without_a_comparable_period_compares_with_nothing() -> None:
    found = compare.breakdown(SYSTEM, net(Period(FIRST, date(2025, 2, 1))), "USD", "country", 2)
    assert {part.before for part in found} == {None}


def test_a_split_trend_adds_up_to_the_plain_one() -> None:
    split = compare.stacked(SYSTEM, net(MARCH), "USD", "week", "country", 2)
    assert len(split) == 3
    by_week: dict[date, int] = {}
    for values in split.values():
        for first, value in values.items():
            by_week[first] = by_week.get(first, 0) + value
    plain = compare.trend(SYSTEM, net(MARCH), "USD", "week", COVERED)
    assert by_week == {bucket("week", point.first).since: point.value for point in plain}


@pytest.mark.parametrize("where", [WHERE, {"partner": ("acme", "")}, {"country": ("DE",), "channel": ("shop",)}])
def test_filters_narrow_the_number_its_trend_and_its_parts_alike(where: dict[str, tuple[str, ...]]) -> None:
    question = net(MARCH, where=where)
    value = compare.kpi(SYSTEM, question, "USD").value
    assert value == sum(point.value for point in compare.trend(SYSTEM, question, "USD", "day", COVERED))
    assert value == sum(part.value for part in compare.breakdown(SYSTEM, question, "USD", "channel"))
    rows = ask(SYSTEM, replace(question, metric="sale_lines", only_currency="USD")).rows
    assert value == rows["amount_minor"].sum()


def test_what_has_no_rate_is_told_by_its_own_currency() -> None:
    january = Period(FIRST, date(2025, 2, 1))
    assert compare.left_out(SYSTEM, net(january), "USD") == {"EUR": 500}
    assert compare.left_out(SYSTEM, net(Period(date(2025, 1, 2), date(2025, 1, 9))), "USD") == {}
    assert compare.left_out(SYSTEM, Question("orders", january), "USD") == {}


def test_one_currency_alone_is_not_mixed_with_another() -> None:
    january = Period(FIRST, date(2025, 2, 1))
    alone = Question("net_revenue", january, where={"currency": ("EUR",)})
    assert compare.kpi(SYSTEM, alone, "EUR").value == 500
    assert sum(part.value for part in compare.breakdown(SYSTEM, alone, "EUR", "country")) == 500
