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
from functools import partial
from typing import Any

import duckdb

from data.marts import Marts
from data.relations import RELATIONS, SQL

SNAPSHOT = re.compile(r"\d+:\d+:[\d,]*\Z")
BATCH_BYTES = str(8 << 20)  # the default of 16 MiB and more costs memory, less than 2 costs time and disk
TABLES = tuple(relation.name for relation in RELATIONS)
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


def staging_sql(table: str) -> str:
    return (SQL / "staging" / f"{table}.sql").read_text()


class Feed:
    """The consumer of one Postgres database; its position lives in the DuckDB that it fills."""

    def __init__(self, postgres_url: str, store: duckdb.DuckDBPyConnection, *, with_marts: bool = True) -> None:
        self.url = postgres_url
        self.store = store
        self.marts = Marts(store) if with_marts else None
        self.reader: Any = None
        self.busy = threading.Lock()
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
            if self.marts:
                self.marts.build()
        return rows

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
        if self.marts and table == "sale":
            self.marts.move(partial(self._copy, cursor), new, is_new=not known)
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
                if self.marts and table == "sale":
                    self.marts.move(partial(self._copy, cursor), None, is_new=False)
        return int(self._one("select count(*) from gone")[0])

    def _take_out(self, table: str, within: str) -> int:
        """The rows as they stood before the change, in `former`."""
        self.store.execute(f"create or replace temp table former as select * from staging.{table} where {within}")
        return int(self._one("select count(*) from former")[0])

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
