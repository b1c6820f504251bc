"""Number of sale lines: of any kind."""

from __future__ import annotations

from typing import Any


def test_every_kind_of_line_counts(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 100, order_id="a", region="eu")
    given.sale("2026-01-02", 100, order_id="a", region="eu")
    given.sale("2026-01-03", -100, order_id="a", kind="refund", region="na")
    assert ask("sale_line_count") == [{"currency": "USD", "sale_line_count": 3}]
    assert [row["sale_line_count"] for row in ask("sale_line_count", "region")] == [2, 1]
