"""Days with sales: the first and the last business day with a sale line."""

from __future__ import annotations

from datetime import date
from typing import Any


def test_they_are_the_ends_of_the_record(given: Any, ask: Any) -> None:
    for day in ("2026-01-05", "2025-12-01", "2026-02-09"):
        given.sale(day, 100)
    assert ask("fact_days") == [{"first_day": date(2025, 12, 1), "last_day": date(2026, 2, 9)}]
