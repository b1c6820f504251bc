"""Refunds: refunds, disputes and disputes won, each on its own business day; negative money."""

from __future__ import annotations

from datetime import date
from typing import Any


def test_refunds_and_disputes_count_and_adjustments_do_not(given: Any, ask: Any) -> None:
    sold = given.sale("2026-01-01", 12_000)
    given.sale("2026-01-05", -4_000, kind="refund", refunds=sold)
    given.sale("2026-01-06", -8_000, kind="dispute", refunds=sold)
    given.sale("2026-02-06", 8_000, kind="dispute_won", refunds=sold)
    given.sale("2026-02-07", -50, kind="adjustment")
    assert ask("refunds", "month") == [
        {"month": date(2026, 1, 1), "currency": "USD", "refunds": -12_000},
        {"month": date(2026, 2, 1), "currency": "USD", "refunds": 8_000},
    ]
