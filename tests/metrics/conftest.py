"""Given these rows, expected is that answer: what the examples of all metrics share.

`given` writes small tables to Postgres. `ask` puts a question to the warehouse and, in the same words, to Postgres
itself, and refuses to answer unless both say the same: no engine is admitted without this test.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from data import metrics, postgres
from data.feed import staging_sql
from data.metrics import GROUPS, Request
from data.relations import MARTS, RELATIONS
from data.warehouse import EVERYBODY, Scope, Warehouse

Rows = list[dict[str, Any]]


class Given:
    """Rows of a small business; money in minor units, days as text."""

    def __init__(self, url: str) -> None:
        self.db = psycopg.connect(url, autocommit=True)
        self.count = 0

    def partner(self, code: str, **given: Any) -> int:
        row = {"code": code, "name": code.title(), "type": "affiliate", "status": "active", "region": "eu", **given}
        return self.insert("partner", row)

    def customer(self, source_id: str) -> int:
        found = self.db.execute("select id from customer where source_id = %s", [source_id]).fetchone()
        return int(found[0]) if found else self.insert("customer", {"source": "shop", "source_id": source_id})

    def sale(
        self, day: str, amount: int, *, partner: str | None = None, customer: str | None = None, **given: Any
    ) -> int:
        """One sale line: USD unless said otherwise, each an order of its own unless it names one."""
        self.count += 1
        currency = given.get("currency", "USD")
        row = {
            "source": "shop",
            "source_id": str(self.count),
            "order_id": f"order {self.count}",
            "kind": "sale",
            "amount_minor": amount,
            "currency": currency,
            "house_minor": amount if currency == "USD" else None,
            "partner_id": self._partner(partner),
            "attribution": "explicit" if partner else "none",
            "customer_id": self.customer(customer) if customer else None,
            "at": f"{day}T12:00:00Z",
            "business_day": day,
            **given,
        }
        return self.insert("sale", row)

    def spend(self, day: str, channel: str, amount: int, **given: Any) -> int:
        self.count += 1
        currency = given.get("currency", "USD")
        row = {
            "source": "ads",
            "source_id": str(self.count),
            "business_day": day,
            "channel": channel,
            "amount_minor": amount,
            "currency": currency,
            "house_minor": amount if currency == "USD" else None,
            **given,
        }
        return self.insert("spend", row)

    def _partner(self, code: str | None) -> int | None:
        if code is None:
            return None
        found = self.db.execute("select id from partner where code = %s", [code]).fetchone()
        return int(found[0]) if found else self.partner(code)

    def insert(self, table: str, row: Mapping[str, Any]) -> int:
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(f"%({name})s" for name in row)
        found = self.db.execute(f"insert into {table} ({names}) values ({values}) returning id", dict(row)).fetchone()
        assert found is not None
        return int(found[0])


@pytest.fixture
def given(database: Any) -> Iterator[Given]:
    opened = Given(postgres.libpq_url(database.url))
    yield opened
    opened.db.close()


@pytest.fixture
def warehouse(database: Any, tmp_path: Path) -> Iterator[Warehouse]:
    opened = Warehouse.open(tmp_path, postgres.libpq_url(database.url), house_currency="USD", memory="1GB")
    yield opened
    opened.close()


class OnPostgres:
    """The other engine: the same relations and marts as views over the record, the same text with its parameters."""

    def __init__(self, url: str) -> None:
        self.db = psycopg.connect(url, autocommit=True, row_factory=dict_row)
        self.db.execute("create schema asked")
        for relation in RELATIONS:
            self.db.execute(f"create view asked.{relation.name} as {staging_sql(relation.name)}")
        self.db.execute("set search_path = asked, public")
        for mart in MARTS:
            self.db.execute(f"create view asked.{mart.name} as {mart.sql}")

    def run(self, request: Request) -> Rows:
        sql, values = metrics.compose(metrics.catalogue()[request.metric], request, "USD")
        return named(self.db.execute(metrics.spoken_by(sql, "psycopg"), values).fetchall(), request)


def named(rows: Rows, request: Request) -> Rows:
    """Groups by what was asked, and no others; as the warehouse names them."""
    names = dict(zip(GROUPS, request.by, strict=False))
    return [
        {names.get(key, key): value for key, value in row.items() if key in names or key not in GROUPS} for row in rows
    ]


@pytest.fixture
def on_postgres(database: Any) -> Iterator[OnPostgres]:
    engine = OnPostgres(postgres.libpq_url(database.url))
    yield engine
    engine.db.close()


def plain(value: Any) -> Any:
    """A value as both engines can say it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, Decimal):
        return float(value)
    return value


def alike(one: Rows, other: Rows) -> bool:
    def counted(rows: Rows) -> Counter[Any]:
        return Counter(tuple(sorted((name, repr(plain(value))) for name, value in row.items())) for row in rows)

    return counted(one) == counted(other)


@pytest.fixture
def ask(warehouse: Warehouse, on_postgres: OnPostgres) -> Callable[..., Rows]:
    """Answers of both engines, which must be equal; sorted by the groups."""

    def asked(
        metric: str,
        *by: str,
        since: str | None = None,
        until: str | None = None,
        scope: Scope = EVERYBODY,
        where: Mapping[str, tuple[str | None, ...]] | None = None,
        before: tuple[str, str] | None = None,
        **more: Any,
    ) -> Rows:
        warehouse.refresh()
        request = Request(
            metric,
            day(since),
            day(until),
            by,
            where or {},
            before=(date.fromisoformat(before[0]), date.fromisoformat(before[1])) if before else None,
            **more,
        )
        answer = warehouse.ask(request, scope).to_dicts()
        if scope == EVERYBODY:
            other = on_postgres.run(request)
            assert alike(answer, other), f"DuckDB: {answer}\nPostgres: {other}"
        return sorted(answer, key=lambda row: [str(row[name]) for name in (*by, "currency") if name in row])

    return asked


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.fixture
def many(given: Given) -> Callable[[int], None]:
    """A few hundred rows of every kind, drawn from so few values that orders, customers and days meet again."""
    return lambda seed: draw(given, random.Random(seed))


def draw(given: Given, chance: random.Random) -> None:
    partners = [
        given.partner(f"p{n}", type=("affiliate", "shopify")[n % 2], region=("eu", "na")[n % 2]) for n in (1, 2, 3)
    ]
    customers = [given.customer(f"c{n}") for n in range(12)]
    for _ in range(300):
        draw_sale(given, chance, partners, customers)
    for _ in range(40):
        given.spend(
            draw_day(chance),
            chance.choice(["search", "social"]),
            chance.randint(1, 900),
            partner_id=chance.choice([None, *partners]),
            currency=chance.choice(["USD", "EUR"]),
        )
    draw_others(given, chance, partners, customers)


def draw_day(chance: random.Random) -> str:
    return str(date(2025, 12, 20) + timedelta(days=chance.randint(0, 70)))


def draw_sale(given: Given, chance: random.Random, partners: list[int], customers: list[int]) -> None:
    kind = chance.choice(["sale", "sale", "sale", "sale", "refund", "dispute", "dispute_won", "adjustment"])
    amount = chance.randint(1, 9_999) * (-1 if kind in ("refund", "dispute") else 1)
    currency, rate = chance.choice([("USD", 1.0), ("EUR", 1.1), ("EUR", None), ("JPY", None), ("KWD", 3.2)])
    partner = chance.choice([None, *partners])
    given.sale(
        draw_day(chance), amount, kind=kind, currency=currency, house_minor=rate and round(amount * rate),
        partner_id=partner, attribution=chance.choice(["explicit", "coupon"]) if partner else "none",
        customer_id=chance.choice([None, *customers]), order_id=f"o{chance.randint(1, 90)}",
        source=chance.choice(["shop", "mail order"]), product=chance.choice(["tea", "cake", ""]),
        category=chance.choice(["drinks", "food"]), region=chance.choice(["eu", "na", ""]),
        country=chance.choice(["DE", "US"]), channel=chance.choice(["web", "app"]), plan=chance.choice(["pro", ""]),
    )  # fmt: skip


def draw_others(given: Given, chance: random.Random, partners: list[int], customers: list[int]) -> None:
    """Rows of the relations that later metrics read."""
    for number in range(30):
        partner, day = chance.choice(partners), draw_day(chance)
        mine = {
            "source": "shop",
            "source_id": f"x{number}",
            "partner_id": partner,
            "business_day": day,
            "at": f"{day}T10:00Z",
        }
        given.insert("event", {**mine, "event": chance.choice(["visit", "signup"]), "unit_user": f"u{number % 7}"})
        given.insert(
            "usage", {**mine, "provider": "openai", "model": chance.choice(["small", "large"]), "latency_ms": number}
        )
        bought = {"subscription": f"s{number % 5}", "customer_id": chance.choice(customers), "plan": "pro"}
        paid = {"amount_minor": 900, "currency": "USD", "interval": "month", "status": "active"}
        given.insert("subscription_change", {**mine, **bought, **paid})
    given.insert("goal", {"metric": "net_revenue", "month": "2026-01-01", "target": 1, "currency": "USD"})
    given.insert("annotation", {"business_day": "2026-01-10", "label": "launch"})
