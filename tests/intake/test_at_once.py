"""Imports that run at the same time: each row is written once, and no row misses a rate that came beside it."""

from __future__ import annotations

import threading
from typing import Any

import polars as pl
from sqlalchemy import text

from core.intake.load import load_frame
from core.intake.report import Report
from core.viewer import SYSTEM
from data.postgres import transaction

SALES = pl.DataFrame(
    {
        "order_id": [str(n % 400) for n in range(800)],
        "at": ["2026-03-01"] * 800,
        "amount": ["10"] * 800,
        "currency": ["EUR"] * 800,
        "customer": [f"c{n % 50}" for n in range(800)],
    }
)
RATE = pl.DataFrame({"day": ["2026-03-01"], "from": ["EUR"], "to": ["USD"], "rate": ["1.5"]})


def take_in(kind: str, frame: pl.DataFrame, source: str = "shop") -> Report:
    with transaction() as db:
        return load_frame(db, SYSTEM, kind, frame, source=source)


def one(query: str) -> tuple[Any, ...]:
    with transaction() as db:
        return tuple(db.execute(text(query)).one())


def test_the_same_file_by_four_at_once_is_written_once(database: Any) -> None:
    reports: list[Report] = []
    people = [threading.Thread(target=lambda: reports.append(take_in("sales", SALES))) for _ in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join(120)
    assert sorted(report.rows_written for report in reports) == [0, 0, 0, 800]
    assert one("select count(*), count(distinct customer_id) from sale") == (800, 50)


def test_a_rate_that_comes_while_sales_are_on_their_way_in_prices_them(database: Any) -> None:
    with transaction() as db:
        load_frame(db, SYSTEM, "sales", SALES, source="shop")
        bank = threading.Thread(target=take_in, args=("rates", RATE, "bank"))
        bank.start()
        bank.join(0.5)
        assert bank.is_alive(), "the rate did not wait its turn"
    bank.join(120)
    assert one("select count(house_minor), min(house_minor) from sale") == (800, 1500)


def test_sales_that_come_while_a_rate_is_on_its_way_in_are_priced(database: Any) -> None:
    with transaction() as db:
        load_frame(db, SYSTEM, "rates", RATE, source="bank")
        shop = threading.Thread(target=take_in, args=("sales", SALES))
        shop.start()
        shop.join(0.5)
    shop.join(120)
    assert one("select count(house_minor), min(house_minor) from sale") == (800, 1500)
