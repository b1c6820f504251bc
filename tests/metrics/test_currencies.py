"""Currencies: those of the sale lines, and how many of the lines have a rate to the house currency."""

from __future__ import annotations

from typing import Any


def test_the_currency_of_most_lines_comes_first(given: Any, ask: Any) -> None:
    given.sale("2026-01-01", 100)
    given.sale("2026-01-01", 100, currency="EUR", house_minor=110)
    given.sale("2026-01-02", 100, currency="EUR")
    assert ask("currencies") == [
        {"currency": "EUR", "lines": 2, "rated_lines": 1},
        {"currency": "USD", "lines": 1, "rated_lines": 1},
    ]
