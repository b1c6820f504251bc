"""Average order: gross revenue over orders, in each currency."""

from __future__ import annotations

from typing import Any


def test_it_is_gross_over_orders_rounded_half_up(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 100, order_id="a")
    given.sale("2026-01-01", 101, order_id="a", line_no=2)
    given.sale("2026-01-02", 100, order_id="b")
    given.sale("2026-01-03", -100, order_id="b", kind="refund")
    assert ask("average_order") == [{"currency": "USD", "average_order": 151}]  # 301 / 2 = 150.5


def test_an_order_in_two_currencies_counts_in_each_and_once_where_both_are_priced(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 1_000, order_id="a")
    given.sale("2026-01-01", 500, order_id="a", currency="EUR", house_minor=550)
    given.sale("2026-01-01", 300, order_id="b", currency="EUR")
    assert ask("average_order", "currency") == [
        {"currency": "EUR", "average_order": 400},
        {"currency": "USD", "average_order": 1_000},
    ]
    in_house = ask("average_order", currency="USD")
    assert sorted((row["currency"], row["average_order"]) for row in in_house) == [("EUR", 300), ("USD", 1_550)]
