"""Returning customers: active in the period, and not new in it."""

from __future__ import annotations

from datetime import date
from typing import Any


def test_who_was_a_customer_before_the_period_returns(given: Any, ask: Any) -> None:
    given.sale("2026-01-05", 100, customer="ann")
    given.sale("2026-02-05", 100, customer="ann")
    given.sale("2026-02-06", 100, customer="bob", partner="acme")
    given.sale("2026-02-07", 100, customer="bob", partner="acme")
    assert ask("returning_customers", "month") == [
        {"month": date(2026, 1, 1), "returning_customers": 0},
        {"month": date(2026, 2, 1), "returning_customers": 1},
    ]
    assert ask("returning_customers") == [{"returning_customers": 0}]
    assert ask("returning_customers", where={"partner": ("acme",)}, since="2026-02-07") == [{"returning_customers": 1}]


def test_active_is_new_and_returning(given: Any, ask: Any) -> None:
    for number, day in enumerate(["2026-01-01", "2026-01-02", "2026-01-09", "2026-02-01", "2026-02-03"]):
        for customer in range(number, 4):
            given.sale(day, 100, customer=f"c{customer}", region=("eu", "na")[customer % 2])
    for by in (("day",), ("week",), ("month", "week"), ("region",), ("month", "region"), ()):
        active, new, back = (ask(name, *by) for name in ("active_customers", "new_customers", "returning_customers"))
        for whole, first, again in zip(active, new, back, strict=True):
            assert whole["active_customers"] == first["new_customers"] + again["returning_customers"]
