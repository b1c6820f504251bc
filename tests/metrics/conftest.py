"""Given these rows, expected is that answer: what the examples of all metrics share.

`given` writes small tables to Postgres. `ask` puts a question to the warehouse and, in the same words, to Postgres
itself, and refuses to answer unless both say the same: no engine is admitted without this test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
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
        return self._insert("partner", row)

    def customer(self, source_id: str) -> int:
        found = self.db.execute("select id from customer where source_id = %s", [source_id]).fetchone()
        return int(found[0]) if found else self._insert("customer", {"source": "shop", "source_id": source_id})

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
        return self._insert("sale", row)

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
        return self._insert("spend", row)

    def _partner(self, code: str | None) -> int | None:
        if code is None:
            return None
        found = self.db.execute("select id from partner where code = %s", [code]).fetchone()
        return int(found[0]) if found else self.partner(code)

    def _insert(self, table: str, row: Mapping[str, Any]) -> int:
        names = ", ".join(row)
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
        return sorted(answer, key=lambda row: [str(row[name]) for name in by])

    return asked


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
