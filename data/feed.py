"""Postgres → DuckDB, exact and incremental: nothing lost, nothing twice, however writers interleave.

A watermark on ids or times loses rows of transactions that commit late. This feed keeps the last *snapshot*:
a row is new when its transaction was not visible in it. One repeatable-read transaction reads all tables at
one new snapshot; one DuckDB transaction stores the rows, the moved cells of the marts and the snapshot.
A kill at any point leaves the former position with the former rows (docs/decisions/0003).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from data.relations import MARTS, RELATIONS, SQL, Mart

SNAPSHOT = re.compile(r"\d+:\d+:[\d,]*\Z")
BATCH_BYTES = str(8 << 20)  # the default of 16 MiB and more costs memory, less than 2 costs time and disk
TABLES = tuple(relation.name for relation in RELATIONS)
ASK_POSTGRES_MAX = 20_000
"""Of so many changed sales, the orders are looked up in Postgres by index; of more, in our own copy, read through."""

BY_INDEX = """
select set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false)
"""
"""A change is always found by index: the planner's statistics lag behind a table that only grows."""

FEED_STATE = "create table if not exists feed_state (snapshot varchar, cluster varchar, read_at double)"
CLUSTER = "select system_identifier::text || '/' || timeline_id::text from pg_control_system(), pg_control_checkpoint()"


@dataclass(frozen=True, slots=True)
class Position:
    """How far the copy has come: the snapshot of which cluster's database, and when it was read (epoch seconds)."""

    snapshot: str
    cluster: str
    read_at: float


@dataclass(frozen=True, slots=True)
class Step:
    """What one look at Postgres brought."""

    rows: int
    seconds: float
    reloaded: bool = False


NEW = "t.xid >= pg_snapshot_xmin('{since}'::pg_snapshot) and not pg_visible_in_snapshot(t.xid, '{since}'::pg_snapshot)"
"""Rows of transactions that the snapshot `since` did not see yet."""

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


def staging_sql(table: str) -> str:
    return (SQL / "staging" / f"{table}.sql").read_text()


class Feed:
    """The consumer of one Postgres database; its position lives in the DuckDB that it fills."""

    def __init__(self, postgres_url: str, store: duckdb.DuckDBPyConnection, *, mart_rows: bool = True) -> None:
        self.url = postgres_url
        self.store = store
        self.mart_rows = mart_rows
        self.reader: Any = None
        self.busy = threading.Lock()
        self._loose: dict[str, int] = {}  # pieces of cells added since a mart was put together
        self.position = self._stored_position()
        self.fault = ""  # why the last look failed, for the screens

    # ── reading Postgres ────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        """A cursor on one unchanging view of Postgres."""
        import adbc_driver_postgresql.dbapi as adbc

        if self.reader is None:
            self.reader = adbc.connect(self.url)
            with self.reader.cursor() as cursor:
                cursor.execute(BY_INDEX)
            self.reader.commit()
        cursor = self.reader.cursor()
        try:
            cursor.execute("set transaction isolation level repeatable read, read only")
            yield cursor
        except Exception:
            self.disconnect()
            raise
        finally:
            if self.reader is not None:
                cursor.close()
                self.reader.rollback()

    def disconnect(self) -> None:
        reader, self.reader = self.reader, None
        if reader is not None:
            try:
                reader.close()
            except Exception:  # a connection that died cannot be closed politely
                return

    def step(self, also: Callable[[Any], None] | None = None) -> Step:
        """Copy what was committed since the last step. `also` sees the same snapshot, after the copy stands."""
        with self.busy:
            began = time.monotonic()
            with self.snapshot() as cursor:
                now = self._look(cursor)
                reload = self.position is None or self.position.cluster != now.cluster
                rows = 0
                if reload:
                    rows = self._load(cursor, now)
                elif self.position is not None and self.position.snapshot != now.snapshot:
                    rows = self._advance(cursor, now, self.position.snapshot)
                else:
                    self.position = now
                if also is not None:
                    also(cursor)
            self.fault = ""
            return Step(rows, time.monotonic() - began, reload)

    def _look(self, cursor: Any) -> Position:
        cursor.execute(f"select pg_current_snapshot()::text, ({CLUSTER}) || '/' || current_database()")
        snapshot, cluster = cursor.fetchone()
        if not SNAPSHOT.match(snapshot):
            raise ValueError(f"not a snapshot: {snapshot!r}")
        return Position(snapshot, cluster, time.time())

    # ── writing DuckDB ──────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _writing(self, now: Position) -> Iterator[None]:
        """Rows, cells and position stand together, or none of them does."""
        self.store.execute("begin")
        try:
            yield
            self._keep(now)
            self.store.execute("commit")
        except BaseException:
            self.store.execute("rollback")
            raise
        self.position = now

    def _load(self, cursor: Any, now: Position) -> int:
        """The first copy, or a new one after a restore: every table whole."""
        cursor.execute("set local enable_seqscan = on")
        with self._writing(now):
            self.store.execute("create schema if not exists staging")
            rows = sum(self._copy(cursor, staging_sql(table), f"staging.{table}") for table in TABLES)
            if self.mart_rows:
                self.build_marts()
        return rows

    def build_marts(self) -> None:
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

    def _advance(self, cursor: Any, now: Position, since: str) -> int:
        """Copy the rows of transactions that the last snapshot did not see yet, and move their cells."""
        new = NEW.format(since=since)
        touched = self._touched(cursor, new)
        if not touched:
            self.position = now
            return 0
        with self._writing(now):
            rows = self._bury(cursor, new) if "tombstone" in touched else 0  # first: Postgres has them no more
            rows += sum(self._upsert(cursor, table, new) for table in touched if table != "tombstone")
        return rows

    def _touched(self, cursor: Any, new: str) -> list[str]:
        """The tables with any new row: one round trip, an index look-up each."""
        tables = (*TABLES, "tombstone")
        cursor.execute(f"select {', '.join(f'exists (select 1 from {table} as t where {new})' for table in tables)}")
        return [table for table, is_new in zip(tables, cursor.fetchone(), strict=True) if is_new]

    def _upsert(self, cursor: Any, table: str, new: str) -> int:
        rows = self._copy(cursor, f"{staging_sql(table)} where {new}", "changed")
        lowest, highest = self._one("select min(id), max(id) from changed")
        within = f"id between {int(lowest)} and {int(highest)} and id in (select id from changed)"
        known = self._take_out(table, within)
        if known:
            self.store.execute(f"delete from staging.{table} where {within}")
        self.store.execute(f"insert into staging.{table} select * from changed")
        self._move_cells(table, cursor, new, is_new=not known)
        return rows

    def _bury(self, cursor: Any, new: str) -> int:
        """Rows deleted in Postgres, which their tombstones tell of."""
        self._copy(cursor, f"select t.table_name, t.row_id from tombstone as t where {new}", "gone")
        tables = [row[0] for row in self.store.sql("select distinct table_name from gone").fetchall()]
        for table in (name for name in tables if name in TABLES):
            ids = f"id in (select row_id from gone where table_name = '{table}')"
            self.store.execute(f"create or replace temp table changed as select * from staging.{table} limit 0")
            if self._take_out(table, ids):
                self.store.execute(f"delete from staging.{table} where {ids}")
                self._move_cells(table, cursor, None, is_new=False)
        return int(self._one("select count(*) from gone")[0])

    def _take_out(self, table: str, within: str) -> int:
        """The rows as they stood before the change, in `former`."""
        self.store.execute(f"create or replace temp table former as select * from staging.{table} where {within}")
        return int(self._one("select count(*) from former")[0])

    # ── cells of the marts ──────────────────────────────────────────────────────────────────────────────────────────

    def _move_cells(self, table: str, cursor: Any, new: str | None, *, is_new: bool) -> None:
        """Every mart of `table` gains what `changed` brings and loses what `former` brought."""
        if not self.mart_rows or table != "sale":
            return
        loses = {
            (): not is_new,
            ("source", "order_id"): self._orders(cursor, new, is_new=is_new),
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

    def _orders(self, cursor: Any, new: str | None, *, is_new: bool) -> bool:
        """All sale lines of the touched orders, before and after; says whether there were any before.

        A few orders are asked of Postgres, which finds them by index; for many, our own copy is read through.
        """
        keys = "select source, order_id from changed where kind = 'sale'"
        left = "select source, order_id from former where kind = 'sale'"
        few = self._one("select count(*) from changed")[0] <= ASK_POSTGRES_MAX
        if new is not None and few and (is_new or not self._one(f"select count(*) from ({left} except {keys})")[0]):
            self._copy(cursor, ORDERS_OF.format(new=new), "order_after")
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

    def _copy(self, cursor: Any, query: str, target: str) -> int:
        """What Postgres answers, in a table of ours: batch by batch, whatever its size."""
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": BATCH_BYTES})
        cursor.execute(query)
        self.store.register("arriving", cursor.fetch_record_batch())
        try:
            kind = "table" if "." in target else "temp table"
            made = self._one(f"create or replace {kind} {target} as select * from arriving")
        finally:
            self.store.unregister("arriving")
        return int(made[0])

    def _keep(self, position: Position) -> None:
        self.store.execute("delete from feed_state")
        self.store.execute(
            "insert into feed_state values (?, ?, ?)", [position.snapshot, position.cluster, position.read_at]
        )

    def _stored_position(self) -> Position | None:
        self.store.execute(FEED_STATE)
        rows = self.store.execute("select snapshot, cluster, read_at from feed_state").fetchall()
        return Position(*rows[0]) if rows else None

    def _one(self, query: str) -> tuple[Any, ...]:
        """The single row of a query, read to its end: a result left open would hold the connection (DuckDB 2.0)."""
        return tuple(self.store.execute(query).fetchall()[0])
