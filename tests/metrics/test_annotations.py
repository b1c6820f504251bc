"""Annotations: what people wrote on business days."""

from __future__ import annotations

from datetime import date
from typing import Any


def test_notes_come_in_order_of_days_and_retired_ones_do_not(given: Any, ask: Any) -> None:
    given.insert("annotation", {"business_day": "2026-02-01", "label": "outage"})
    given.insert("annotation", {"business_day": "2026-01-10", "label": "launch"})
    given.insert("annotation", {"business_day": "2026-01-11", "label": "mistake", "retired": True})
    assert ask("annotations") == [
        {"note_day": date(2026, 1, 10), "label": "launch"},
        {"note_day": date(2026, 2, 1), "label": "outage"},
    ]
