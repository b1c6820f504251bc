"""Orders: distinct orders with a sale line in the period."""

from __future__ import annotations

from datetime import date
from typing import Any


def test_lines_of_one_order_count_once(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 100, order_id="a")
    given.sale("2026-01-01", 200, order_id="a", line_no=2)
    given.sale("2026-01-01", 300, order_id="b")
    given.sale("2026-01-03", -300, order_id="b", kind="refund")
    given.sale("2026-01-04", -10, order_id="c", kind="refund")
    assert ask("orders") == [{"orders": 2}]


def test_the_same_number_from_two_sources_is_two_orders(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 100, order_id="1", source="shop")
    given.sale("2026-01-01", 100, order_id="1", source="mail")
    given.sale("2026-01-01", 100, order_id="b 1", source="a")
    given.sale("2026-01-02", 100, order_id="b 1", source="a")
    given.sale("2026-01-01", 100, order_id="1", source="a b")
    given.sale("2026-01-02", 100, order_id="1", source="a b")
    assert ask("orders") == [{"orders": 4}]


def test_an_order_over_two_days_counts_in_each_and_once_in_both(given: Any, ask: Any) -> None:
    given.sale("2026-01-31", 100, order_id="a")
    given.sale("2026-02-01", 100, order_id="a", line_no=2)
    given.sale("2026-02-01", 100, order_id="b")
    assert ask("orders", "month") == [
        {"month": date(2026, 1, 1), "orders": 1},
        {"month": date(2026, 2, 1), "orders": 2},
    ]
    assert ask("orders", "year") == [{"year": date(2026, 1, 1), "orders": 2}]
    assert ask("orders", since="2026-02-01") == [{"orders": 2}]


def test_an_order_of_two_partners_counts_for_each_and_once_in_all(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 100, order_id="a", partner="acme", product="tea")
    given.sale("2026-01-01", 100, order_id="a", partner="bob", product="cake")
    given.sale("2026-01-01", 100, order_id="a", currency="EUR")
    assert ask("orders") == [{"orders": 1}]
    assert ask("orders", "partner") == [
        {"partner": None, "orders": 1},
        {"partner": "acme", "orders": 1},
        {"partner": "bob", "orders": 1},
    ]
    assert ask("orders", "partner_type")[-1] == {"partner_type": "affiliate", "orders": 1}
    assert ask("orders", "product", where={"product": ("tea", "cake")}) == [
        {"product": "cake", "orders": 1},
        {"product": "tea", "orders": 1},
    ]
