"""What tests of feed and warehouse share: a small shop that writes to Postgres, and a warehouse of its database."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from data import postgres
from data.check import compare
from data.warehouse import Warehouse

DAYS = [f"2026-03-{day:02d}" for day in range(1, 8)]


class Shop:
    """A few partners and customers, and sale lines that come, change and go. Every act stays in its transaction."""

    def __init__(self, url: str, seed: int = 1) -> None:
        self.url = url
        self.draw = random.Random(seed)
        self.db = psycopg.connect(url)
        self.serial = seed * 10_000_000

    def open(self, partners: int = 4, customers: int = 6) -> Shop:
        self.db.execute(
            "insert into partner (code, name, type, status) select 'p' || n, 'Partner ' || n, 'affiliate', 'active'"
            " from generate_series(1, %s) as n",
            [partners],
        )
        self.db.execute(
            "insert into customer (source, source_id) select 'shop', 'c' || n from generate_series(1, %s) as n",
            [customers],
        )
        self.db.commit()
        return self

    def sell(self, **given: Any) -> int:
        """One sale line; what is not given is drawn, from so few values that orders and customers meet again."""
        self.serial += 1
        draw = self.draw
        kind = given.get("kind") or draw.choice(["sale", "sale", "sale", "refund", "adjustment", "dispute_won"])
        amount = draw.randint(1, 5000)
        row = {
            "source": draw.choice(["shop", "mail"]),
            "source_id": str(self.serial),
            "order_id": f"o{draw.randint(1, 12)}",
            "kind": kind,
            "amount_minor": -amount if kind in ("refund", "dispute") else amount,
            "currency": draw.choice(["USD", "EUR"]),
            "partner": draw.choice([None, "p1", "p2"]),
            "customer": draw.choice([None, "c1", "c2", "c3"]),
            "product": draw.choice(["tea", "cake"]),
            "region": draw.choice(["eu", "na"]),
            "business_day": draw.choice(DAYS),
            **given,
        }
        row["house_minor"] = given.get("house_minor", amount if row["currency"] == "USD" else None)
        found = self.db.execute(
            "insert into sale (source, source_id, order_id, kind, amount_minor, currency, house_minor, partner_id,"
            " attribution, customer_id, product, region, at, business_day) values (%(source)s, %(source_id)s,"
            " %(order_id)s, %(kind)s, %(amount_minor)s, %(currency)s, %(house_minor)s,"
            " (select id from partner where code = %(partner)s),"
            " case when %(partner)s::text is null then 'none' else 'explicit' end,"
            " (select id from customer where source = 'shop' and source_id = %(customer)s),"
            " %(product)s, %(region)s, %(business_day)s::date + interval '12 hours', %(business_day)s) returning id",
            row,
        ).fetchone()
        assert found is not None
        return int(found[0])

    def price(self) -> None:
        """A rate becomes known: rows of a day get their amount in the house currency."""
        self.db.execute(
            "update sale set house_minor = round(amount_minor * 1.1) where house_minor is null and business_day = %s",
            [self.draw.choice(DAYS)],
        )

    def change(self) -> None:
        """A line is corrected, in any of its columns."""
        change = self.draw.choice(
            [
                "business_day = business_day + 1",
                "customer_id = (select min(id) from customer)",
                "customer_id = null",
                "order_id = 'o1'",
                "amount_minor = amount_minor * 2",
                "kind = 'adjustment'",
                "partner_id = (select max(id) from partner), attribution = 'coupon'",
                "region = 'apac'",
            ]
        )
        self.db.execute(
            f"update sale set {change} where id in (select id from sale order by random() limit %s)",
            [self.draw.randint(1, 3)],
        )

    def forget(self) -> None:
        """Lines are erased; their tombstones stay."""
        self.db.execute(
            "delete from sale where id in (select id from sale order by random() limit %s)", [self.draw.randint(1, 3)]
        )

    def act(self) -> None:
        """One of all these, and now and then something that is taken back by a savepoint."""
        deed = self.draw.random()
        if deed < 0.6:
            for _ in range(self.draw.randint(1, 6)):
                self.sell()
        elif deed < 0.7:
            self.price()
        elif deed < 0.85:
            self.change()
        elif deed < 0.93:
            self.forget()
        else:
            with self.db.transaction(force_rollback=True):
                self.sell()
            self.sell()


@pytest.fixture
def shop(database: Any) -> Iterator[Shop]:
    opened = Shop(postgres.libpq_url(database.url)).open()
    yield opened
    opened.db.close()


@pytest.fixture
def open_warehouse(database: Any, tmp_path: Path) -> Iterator[Callable[..., Warehouse]]:
    """Opens warehouses of the test's database, in one folder; they are closed after the test."""
    opened: list[Warehouse] = []

    def open_one(folder: Path = tmp_path / "warehouse", url: str = database.url) -> Warehouse:
        opened.append(Warehouse.open(folder, postgres.libpq_url(url), house_currency="USD", memory="1GB"))
        return opened[-1]

    yield open_one
    for warehouse in opened:
        warehouse.close()


@pytest.fixture
def warehouse(open_warehouse: Callable[..., Warehouse]) -> Warehouse:
    return open_warehouse()


@pytest.fixture
def breaks() -> Callable[[Warehouse], list[str]]:
    """What `millrace check` would find: nothing, where all is well."""
    return lambda warehouse: [f"{f.what}: {line}" for f in compare(warehouse) for line in f.breaks]
