"""Top movers: net revenue of the period less that of the period before, largest change first."""

from __future__ import annotations

from typing import Any

import pytest

MARCH = {"since": "2026-03-01", "until": "2026-04-01", "before": ("2026-02-01", "2026-03-01")}


@pytest.mark.parametrize("by", ["partner", "product"])
def test_the_largest_change_comes_first_whichever_its_direction(given: Any, ask: Any, warehouse: Any, by: str) -> None:
    for name, february, march in (("up", 100, 900), ("down", 5_000, 1_000), ("new", 0, 300), ("same", 70, 70)):
        given.partner(name)
        for day, amount in (("2026-02-10", february), ("2026-03-10", march)):
            if amount:
                given.sale(day, amount, partner=name, product=name)
    given.sale("2026-01-10", 99_999, partner="same", product="same")
    rows = ask("top_movers", by, **MARCH)
    assert {row[by]: (row["before"], row["net_revenue"], row["change"]) for row in rows} == {
        "up": (100, 900, 800),
        "down": (5_000, 1_000, -4_000),
        "new": (0, 300, 300),
        "same": (70, 70, 0),
    }


def test_they_are_ordered_by_the_size_of_the_change(given: Any, ask: Any) -> None:
    given.sale("2026-02-10", 5_000, region="down")
    given.sale("2026-03-10", 800, region="up")
    assert [row["region"] for row in ask("top_movers", "region", limit=1, **MARCH)] == ["down"]
