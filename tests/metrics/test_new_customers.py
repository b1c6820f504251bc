"""New customers: those whose first sale line ever lies in the period."""

from __future__ import annotations

from datetime import date
from typing import Any


def test_only_the_first_day_ever_makes_a_customer_new(given: Any, ask: Any) -> None:
    given.sale("2026-01-05", 100, customer="ann")
    given.sale("2026-02-05", 100, customer="ann")
    given.sale("2026-02-06", 100, customer="bob")
    given.sale("2025-12-31", -100, customer="bob", kind="refund")  # no sale line: it makes nobody a customer
    assert ask("new_customers", "month") == [
        {"month": date(2026, 1, 1), "new_customers": 1},
        {"month": date(2026, 2, 1), "new_customers": 1},
    ]
    assert ask("new_customers", since="2026-02-01") == [{"new_customers": 1}]
    assert ask("new_customers", since="2026-03-01") == []


def test_a_line_that_comes_late_moves_the_first_day(given: Any, ask: Any) -> None:
    given.sale("2026-02-05", 100, customer="ann", region="eu")
    assert ask("new_customers", "month") == [{"month": date(2026, 2, 1), "new_customers": 1}]
    given.sale("2026-01-05", 100, customer="ann", region="na")
    assert ask("new_customers", "month") == [
        {"month": date(2026, 1, 1), "new_customers": 1},
        {"month": date(2026, 2, 1), "new_customers": 0},
    ]
    assert ask("new_customers", "region") == [
        {"region": "eu", "new_customers": 0},
        {"region": "na", "new_customers": 1},
    ]
