"""Acquisition spend: what was spent on winning customers, by day and channel."""

from __future__ import annotations

from typing import Any


def test_it_adds_up_by_channel_and_currency(given: Any, ask: Any) -> None:
    given.spend("2026-01-01", "search", 1_000)
    given.spend("2026-01-02", "search", 500, campaign="spring")
    given.spend("2026-01-02", "social", 700, currency="EUR", house_minor=760)
    assert ask("acquisition_spend", "channel") == [
        {"channel": "search", "currency": "USD", "acquisition_spend": 1_500},
        {"channel": "social", "currency": "EUR", "acquisition_spend": 700},
    ]
    assert ask("acquisition_spend", currency="USD") == [{"currency": "USD", "acquisition_spend": 2_260}]
    assert ask("acquisition_spend", where={"campaign": ("spring",)}) == [{"currency": "USD", "acquisition_spend": 500}]
