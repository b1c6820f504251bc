"""Sale lines: the rows that add up to a number, newest first."""

from __future__ import annotations

from typing import Any


def test_they_come_newest_first_and_add_up_to_net_revenue(given: Any, ask: Any, warehouse: Any) -> None:
    old = given.sale("2026-01-01", 100, partner="acme")
    new = given.sale("2026-01-03", -40, partner="acme", kind="refund")
    given.sale("2026-01-02", 7)
    rows = ask("sale_lines", where={"partner": ("acme",)})
    assert [row["id"] for row in rows] == [new, old]
    assert (
        sum(row["amount_minor"] for row in rows) == ask("net_revenue", where={"partner": ("acme",)})[0]["net_revenue"]
    )


def test_a_limit_keeps_the_newest_also_of_one_currency(given: Any, ask: Any) -> None:
    for day in range(1, 10):
        given.sale(f"2026-01-0{day}", day, currency=("USD", "EUR")[day % 2])
    assert [row["amount_minor"] for row in ask("sale_lines", limit=2)] == [9, 8]
    assert [row["amount_minor"] for row in ask("sale_lines", limit=2, only_currency="USD")] == [8, 6]
