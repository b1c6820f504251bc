"""Gross revenue: the sum of sale lines, before anything is taken back."""

from __future__ import annotations

from typing import Any


def test_only_sales_count(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 10_000)
    given.sale("2026-01-01", 2_500, currency="EUR")
    given.sale("2026-01-02", -4_000, kind="refund")
    given.sale("2026-01-02", 300, kind="adjustment")
    given.sale("2026-01-02", 4_000, kind="dispute_won")
    assert ask("gross_revenue", "currency") == [
        {"currency": "EUR", "gross_revenue": 2_500},
        {"currency": "USD", "gross_revenue": 10_000},
    ]
    assert ask("gross_revenue", "kind")[-1] == {"kind": "sale", "currency": "USD", "gross_revenue": 10_000}
