"""Net revenue: the sum of all kinds of sale lines, each on its own business day."""

from __future__ import annotations

from datetime import date
from typing import Any


def test_all_kinds_count_each_on_its_own_day(given: Any, ask: Any) -> None:
    given.sale("2026-01-30", 10_000)
    given.sale("2026-01-31", 500, kind="adjustment")
    given.sale("2026-02-01", -3_000, kind="refund")
    given.sale("2026-02-02", -2_000, kind="dispute")
    given.sale("2026-02-20", 2_000, kind="dispute_won")
    assert ask("net_revenue", "month") == [
        {"month": date(2026, 1, 1), "currency": "USD", "net_revenue": 10_500},
        {"month": date(2026, 2, 1), "currency": "USD", "net_revenue": -3_000},
    ]
    assert ask("net_revenue", since="2026-02-01", until="2026-02-02") == [{"currency": "USD", "net_revenue": -3_000}]


def test_currencies_stand_apart_until_one_is_asked_for_at_the_locked_rate(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 1_000)
    given.sale("2026-01-01", 1_000, currency="EUR", house_minor=1_085)
    given.sale("2026-01-02", 1_000, currency="EUR", house_minor=1_102)
    given.sale("2026-01-03", 900, currency="JPY")
    assert ask("net_revenue", "currency") == [
        {"currency": "EUR", "net_revenue": 2_000},
        {"currency": "JPY", "net_revenue": 900},
        {"currency": "USD", "net_revenue": 1_000},
    ]
    in_house = ask("net_revenue", currency="USD")
    assert sorted((row["currency"], row["net_revenue"]) for row in in_house) == [("JPY", 900), ("USD", 3_187)]


def test_every_breakdown_adds_up_to_the_whole(given: Any, ask: Any) -> None:
    given.sale(
        "2026-01-01", 700, partner="acme", product="tea", category="drinks", region="eu", channel="web", plan="pro"
    )
    given.sale("2026-01-01", 300, product="cake", category="food", region="na", channel="app", country="US")
    given.sale("2026-01-08", 50, partner="bob", product="tea", category="drinks", source="mail")
    for name in (
        "partner",
        "partner_type",
        "product",
        "category",
        "region",
        "channel",
        "country",
        "source",
        "plan",
        "attribution",
        "kind",
        "day",
        "week",
        "quarter",
        "year",
    ):
        assert sum(row["net_revenue"] for row in ask("net_revenue", name)) == 1_050, name
    assert [(row["partner"], row["net_revenue"]) for row in ask("net_revenue", "partner")] == [
        (None, 300),
        ("acme", 700),
        ("bob", 50),
    ]
    assert ask("net_revenue", where={"product": ("tea",), "partner": ("acme", "bob")})[0]["net_revenue"] == 750
    assert ask("net_revenue", where={"partner": ("",)})[0]["net_revenue"] == 300
    assert ask("net_revenue", where={"partner": ("acme", "")})[0]["net_revenue"] == 1_000


def test_nothing_sold_is_no_row(ask: Any) -> None:
    assert ask("net_revenue", "month") == []
    assert ask("net_revenue") == []
