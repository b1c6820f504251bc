"""Marts move with the facts: each gains what a change brings and loses what it took away, whatever the history.

Cells hold integers that add up, and a step of the feed is one transaction, so adding and taking back is exact. Facts
that only mean something together (the lines of one order, the days of one customer) are looked at before and after
the change. `millrace check` works every mart out from all of history and compares (docs/decisions/0015).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb

from data.relations import MARTS, Mart

Copy = Callable[[str, str], int]
"""Runs a query on Postgres, at the feed's snapshot, into a table of ours."""

ASK_POSTGRES_MAX = 20_000
"""Of so many changed sales, the orders are looked up in Postgres by index; of more, in our own copy, read through."""

LINE_OF_ORDER = "id, source, order_id, kind, business_day, partner_id, currency, has_rate, amount_minor, house_minor"
ORDERS_OF = """
select t.id, t.source, t.order_id, t.kind, t.business_day, t.partner_id, t.currency,
       t.house_minor is not null as has_rate, t.amount_minor, t.house_minor
from sale as t
inner join (select distinct t.source, t.order_id from sale as t where t.kind = 'sale' and {new}) as touched
    on touched.source = t.source and touched.order_id = t.order_id
where t.kind = 'sale'
"""

NAMED = {mart.name: mart for mart in MARTS}
ROLLED = frozenset(mart.rolls for mart in MARTS if mart.rolls)
STORED = tuple(mart for mart in MARTS if mart.is_stored)
LOOSE_MAX = 50_000
"""So many added pieces of cells, and a mart is put together again."""

BEFORE_AFTER = {
    (): ("former", "changed"),
    ("source", "order_id"): ("order_before", "order_after"),
    ("customer_id",): ("customer_before", "customer_after"),
}
"""What belongs together → the tables that hold its facts before and after a change."""


def columns(mart: Mart) -> str:
    return ", ".join((*mart.cells, *mart.sums)) or "*"


def summed(mart: Mart) -> str:
    return (
        f"select {', '.join(mart.cells)}, {', '.join(f'cast(sum({name}) as bigint) as {name}' for name in mart.sums)}"
    )


def moved(mart: Mart, before: str, after: str) -> str:
    """What the facts in `after` say of the cells, less what those in `before` said."""
    cells = ", ".join(mart.cells)
    taken = ", ".join(f"-{name} as {name}" for name in mart.sums)
    return (
        f"{summed(mart)} from (select {columns(mart)} from ({over(mart, after)}) as gained"
        f" union all select {cells}, {taken} from ({over(mart, before)}) as lost) as moved"
        f" group by {cells} having {' or '.join(f'sum({name}) <> 0' for name in mart.sums)}"
    )


def over(mart: Mart, facts: str) -> str:
    """The mart's own select, over these facts; where it rolls up another, over that mart's cells of them."""
    if mart.rolls:
        return read_from(mart, mart.rolls, f"({over(NAMED[mart.rolls], facts)}) as {mart.rolls}")
    return read_from(mart, mart.source, facts)


def read_from(mart: Mart, name: str, rows: str) -> str:
    return f"with {name} as (select * from {rows}) select * from ({mart.sql}\n) as mart"


class Marts:
    """The stored marts of one DuckDB; the feed calls it within its transaction."""

    def __init__(self, store: duckdb.DuckDBPyConnection) -> None:
        self.store = store
        self._loose: dict[str, int] = {}  # pieces of cells added since a mart was put together

    def build(self) -> None:
        """Every mart from all of history."""
        self.store.execute("create schema if not exists marts")
        for mart in STORED:
            order = f"order by {mart.cells[0]}" if mart.cells else ""
            facts = f"marts.{mart.rolls}" if mart.rolls else f"staging.{mart.source}"
            self.store.execute(
                f"create or replace table marts.{mart.name} as"
                f" select {columns(mart)} from ({read_from(mart, mart.rolls or mart.source, facts)}) as cells {order}"
            )
            self._loose[mart.name] = 0

    def move(self, copy: Copy, new: str | None, *, is_new: bool) -> None:
        """Every mart gains what the sales in `changed` bring and loses what those in `former` brought.

        `new` is the condition that finds the changed sales in Postgres; None: they are no longer there.
        """
        loses = {
            (): not is_new,
            ("source", "order_id"): self._orders(copy, new, is_new=is_new),
            ("customer_id",): self._customers(is_new=is_new),
        }
        for mart in STORED:
            before, after = BEFORE_AFTER[mart.together]
            may_shrink = loses[mart.together]
            if not mart.sums:
                self._replace(mart, before, after)
            elif mart.rolls:
                rolled = read_from(mart, mart.rolls, f"delta_{mart.rolls}")
                self._add(mart, f"select {columns(mart)} from ({rolled}) as rolled", may_shrink=may_shrink)
            elif may_shrink or mart.together == ("customer_id",):
                self._add(mart, moved(mart, before, after), may_shrink=may_shrink)
            else:
                self._add(mart, f"select {columns(mart)} from ({over(mart, after)}) as gained", may_shrink=False)

    def _add(self, mart: Mart, cells: str, *, may_shrink: bool) -> None:
        """Pieces of cells beside those that stand. A cell that shrinks is put together at once, others now and then."""
        if may_shrink or mart.name in ROLLED:
            self.store.execute(f"create or replace temp table delta_{mart.name} as {cells}")
            cells = f"select * from delta_{mart.name}"
        added = self._one(f"insert into marts.{mart.name} {cells}")[0]
        self._loose[mart.name] = self._loose.get(mart.name, 0) + int(added)
        if self._loose[mart.name] > LOOSE_MAX:
            self._settle(mart, f"select business_day from marts.{mart.name}")
            self._loose[mart.name] = 0
        elif may_shrink:
            lost = " or ".join(f"{name} < 0" for name in mart.sums[: mart.counts])
            if self._one(f"select count(*) from delta_{mart.name} where {lost}")[0]:
                self._settle(mart, f"select business_day from delta_{mart.name} where {lost}")

    def _settle(self, mart: Mart, days: str) -> None:
        """Put the pieces of each cell of these days together again; a cell without anything in it goes."""
        cells = ", ".join(mart.cells)
        self.store.execute(
            f"create or replace temp table days as select distinct business_day from ({days}) as touched"
        )
        self.store.execute(
            f"create or replace temp table settled as {summed(mart)} from marts.{mart.name}"
            f" where business_day in (select business_day from days) group by {cells}"
            f" having {' or '.join(f'sum({name}) <> 0' for name in mart.sums[: mart.counts])}"
        )
        self.store.execute(f"delete from marts.{mart.name} where business_day in (select business_day from days)")
        self.store.execute(f"insert into marts.{mart.name} select * from settled")

    def _replace(self, mart: Mart, before: str, after: str) -> None:
        """One row for each key: the touched ones anew."""
        keys = ", ".join(mart.together)
        touched = f"select {keys} from {before} union select {keys} from {after}"
        self.store.execute(f"delete from marts.{mart.name} where ({keys}) in ({touched})")
        self.store.execute(f"insert into marts.{mart.name} {over(mart, after)}")

    def _orders(self, copy: Copy, new: str | None, *, is_new: bool) -> bool:
        """All sale lines of the touched orders, before and after; says whether there were any before.

        A few orders are asked of Postgres, which finds them by index; for many, our own copy is read through.
        """
        keys = "select source, order_id from changed where kind = 'sale'"
        left = "select source, order_id from former where kind = 'sale'"
        few = self._one("select count(*) from changed")[0] <= ASK_POSTGRES_MAX
        if new is not None and few and (is_new or not self._one(f"select count(*) from ({left} except {keys})")[0]):
            copy(ORDERS_OF.format(new=new), "order_after")
        else:
            self.store.execute(
                f"create or replace temp table order_after as select {LINE_OF_ORDER} from staging.sale"
                f" where kind = 'sale' and (source, order_id) in ({keys} union {left})"
            )
        self.store.execute(
            "create or replace temp table order_before as"
            " select * from order_after where id not in (select id from changed)"
            f" union all select {LINE_OF_ORDER} from former where kind = 'sale'"
        )
        return bool(self._one("select count(*) from order_before")[0])

    def _customers(self, *, is_new: bool) -> bool:
        """The days of the touched customers, before and after; says whether any cell may shrink.

        Who buys on or after their last day needs only that day; for others, and where a line went, all days are read.
        """
        come = "select id, customer_id, business_day from changed where kind = 'sale' and customer_id is not null"
        went = "select id, customer_id, business_day from former where kind = 'sale' and customer_id is not null"
        self.store.execute(f"create or replace temp table gained as {come}{'' if is_new else f' except {went}'}")
        self.store.execute(f"create or replace temp table lost as {went}{' limit 0' if is_new else f' except {come}'}")
        self.store.execute(
            "create or replace temp table known as select * from marts.customer_span"
            " where customer_id in (select customer_id from gained union all select customer_id from lost)"
        )
        self.store.execute(
            "create or replace temp table late as select customer_id from lost union"
            " select gained.customer_id from gained inner join known on known.customer_id = gained.customer_id"
            " where gained.business_day < known.last_day"
        )
        timely = "where customer_id not in (select customer_id from late)"
        self.store.execute(
            "create or replace temp table customer_before as"
            f" select customer_id, first_day as business_day, 'sale' as kind from known {timely}"
            f" union all select customer_id, last_day, 'sale' from known {timely}"
        )
        self.store.execute(
            "create or replace temp table customer_after as select * from customer_before"
            f" union all select customer_id, business_day, 'sale' from gained {timely}"
        )
        is_late = bool(self._one("select count(*) from late")[0])
        if is_late:
            self._late_customers()
        return is_late

    def _late_customers(self) -> None:
        """Days there are after the change; and before it, with the lines that were gained away and those lost back."""
        self.store.execute(
            "create or replace temp table days_of_late as"
            " select customer_id, business_day, cast(count(*) as bigint) as lines from staging.sale"
            " where kind = 'sale' and customer_id in (select customer_id from late)"
            " group by customer_id, business_day"
        )
        self.store.execute(
            "insert into customer_after select customer_id, business_day, 'sale' from days_of_late where lines > 0"
        )
        self.store.execute(
            "insert into customer_before select customer_id, business_day, 'sale' from ("
            "select customer_id, business_day, lines from days_of_late"
            " union all select customer_id, business_day, 1 from lost"
            " union all select customer_id, business_day, -1 from gained"
            " where customer_id in (select customer_id from late)) as lines"
            " group by customer_id, business_day having sum(lines) > 0"
        )

    def _one(self, query: str) -> tuple[Any, ...]:
        return tuple(self.store.execute(query).fetchall()[0])
