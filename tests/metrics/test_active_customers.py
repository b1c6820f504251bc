"""Active customers: distinct known customers with a sale line in the period."""

from __future__ import annotations

from datetime import date
from typing import Any


def test_each_known_customer_counts_once_in_a_period(given: Any, ask: Any) -> None:
    for day in ("2026-01-05", "2026-01-20", "2026-02-01"):
        given.sale(day, 100, customer="ann")
    given.sale("2026-02-10", 100, customer="bob")
    given.sale("2026-02-11", 100)  # nobody we know
    given.sale("2026-02-12", -100, customer="carl", kind="refund")
    assert ask("active_customers", "month") == [
        {"month": date(2026, 1, 1), "active_customers": 1},
        {"month": date(2026, 2, 1), "active_customers": 2},
    ]
    assert ask("active_customers") == [{"active_customers": 2}]
    assert ask("active_customers", since="2026-01-10", until="2026-02-10") == [{"active_customers": 1}]
    assert sum(row["active_customers"] for row in ask("active_customers", "day")) == 4


def test_a_month_picked_by_a_filter_counts_whoever_bought_in_it(given: Any, ask: Any) -> None:
    given.sale("2026-01-05", 100, customer="ann")
    given.sale("2026-02-05", 100, customer="ann")
    assert ask("active_customers", where={"month": ("2026-02-01",)}) == [{"active_customers": 1}]


def test_by_partner_and_product_a_customer_counts_in_each(given: Any, ask: Any) -> None:
    given.sale("2026-01-05", 100, customer="ann", partner="acme", product="tea")
    given.sale("2026-01-05", 100, customer="ann", partner="bob", product="tea")
    assert [row["active_customers"] for row in ask("active_customers", "partner")] == [1, 1]
    assert ask("active_customers", "product") == [{"product": "tea", "active_customers": 1}]
