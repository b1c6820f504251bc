"""Refund rate: what was taken back, over gross revenue."""

from __future__ import annotations

from typing import Any


def test_it_is_refunds_over_gross(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 10_000, partner="acme")
    given.sale("2026-01-02", -1_500, kind="refund", partner="acme")
    given.sale("2026-01-03", -1_000, kind="dispute", partner="acme")
    given.sale("2026-01-03", 99_999, kind="adjustment", partner="acme")
    assert ask("refund_rate") == [{"currency": "USD", "refund_rate": 0.25}]


def test_where_nothing_was_sold_there_is_no_rate(given: Any, ask: Any) -> None:
    given.sale("2026-01-02", -1_500, kind="refund")
    assert ask("refund_rate") == [{"currency": "USD", "refund_rate": None}]
