"""Postgres → DuckDB, exact and incremental: nothing lost, nothing twice, however writers interleave.

A watermark on ids or times loses rows of transactions that commit late. This feed keeps the last *snapshot*:
a row is new when its transaction was not visible in it. One repeatable-read transaction reads all tables at
one new snapshot; one DuckDB transaction stores the rows, the recomputed cells of the marts and the snapshot.
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
BATCH_BYTES = str(2 << 20)  # ADBC's default batches double the size of the DuckDB file and the time
TABLES = tuple(relation.name for relation in RELATIONS)

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
        self.position = self._stored_position()
        self.fault = ""  # why the last look failed, for the screens

    # ── reading Postgres ────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        """A cursor on one unchanging view of Postgres."""
        import adbc_driver_postgresql.dbapi as adbc

        if self.reader is None:
            self.reader = adbc.connect(self.url)
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

    def _load(self, cursor: Any, now: Position) -> int:
        """The first copy, or a new one after a restore: every table whole."""
        self.store.execute("begin")
        try:
            self.store.execute("create schema if not exists staging")
            rows = 0
            for table in TABLES:
                rows += self._copy(cursor, staging_sql(table), f"staging.{table}", replace=True)
            if self.mart_rows:
                self.build_marts()
            self._keep(now)
            self.store.execute("commit")
        except BaseException:
            self.store.execute("rollback")
            raise
        self.position = now
        return rows

    def build_marts(self) -> None:
        """Every mart from all of history."""
        self.store.execute("create schema if not exists marts")
        for relation in {mart.source for mart in MARTS}:
            self._source_view(relation, "")
        for mart in MARTS:
            if mart.is_stored:
                key = f"primary key ({mart.cells})" if mart.least else ""
                self.store.execute(f"create or replace table marts.{mart.name} as {mart.sql} limit 0")
                if key:
                    self.store.execute(f"alter table marts.{mart.name} add {key}")
                order = mart.cells if mart.least else "business_day"
                self.store.execute(
                    f"insert into marts.{mart.name} select * from ({mart.sql}) as cells order by {order}"
                )

    def _advance(self, cursor: Any, now: Position, since: str) -> int:
        """Copy the rows of transactions that the last snapshot did not see yet, and recompute their cells."""
        new = f"t.xid >= pg_snapshot_xmin('{since}'::pg_snapshot) and not pg_visible_in_snapshot(t.xid, '{since}'::pg_snapshot)"
        touched = self._touched(cursor, new)
        self.store.execute("begin")
        try:
            rows = 0
            for table in touched:
                if table != "tombstone":
                    rows += self._upsert(cursor, table, new)
            if "tombstone" in touched:
                rows += self._bury(cursor, new)
            self._keep(now)
            self.store.execute("commit")
        except BaseException:
            self.store.execute("rollback")
            raise
        self.position = now
        return rows

    def _touched(self, cursor: Any, new: str) -> list[str]:
        """The tables with any new row: one round trip, an index look-up each."""
        tables = (*TABLES, "tombstone")
        cursor.execute(f"select {', '.join(f'exists (select 1 from {table} as t where {new})' for table in tables)}")
        return [table for table, is_new in zip(tables, cursor.fetchone(), strict=True) if is_new]

    def _upsert(self, cursor: Any, table: str, new: str) -> int:
        rows = self._copy(cursor, f"{staging_sql(table)} where {new}", "changed", replace=True)
        lowest, highest = self._one("select min(id), max(id) from changed")
        within = f"id between {int(lowest)} and {int(highest)} and id in (select id from changed)"
        self.store.execute(f"create or replace temp table former as select * from staging.{table} where {within}")
        (known,) = self._one("select count(*) from former")
        if known:
            self.store.execute(f"delete from staging.{table} where {within}")
        self.store.execute(f"insert into staging.{table} select * from changed")
        self._recompute(table, is_new=not known)
        return rows

    def _bury(self, cursor: Any, new: str) -> int:
        """Rows deleted in Postgres, which their tombstones tell of."""
        self._copy(cursor, f"select t.table_name, t.row_id from tombstone as t where {new}", "gone", replace=True)
        tables = [row[0] for row in self.store.sql("select distinct table_name from gone").fetchall()]
        for table in (name for name in tables if name in TABLES):
            ids = f"id in (select row_id from gone where table_name = '{table}')"
            self.store.execute(f"create or replace temp table changed as select * from staging.{table} limit 0")
            self.store.execute(f"create or replace temp table former as select * from staging.{table} where {ids}")
            self.store.execute(f"delete from staging.{table} where {ids}")
            self._recompute(table, is_new=False)
        return int(self._one("select count(*) from gone")[0])

    def _recompute(self, table: str, *, is_new: bool) -> None:
        """The cells of each mart that the rows in `changed` and `former` stand in, from all their facts."""
        for mart in MARTS if self.mart_rows else ():
            if mart.source == table and mart.is_stored:
                self._cells(mart, merge=bool(mart.least) and is_new)

    def _cells(self, mart: Mart, *, merge: bool) -> None:
        if merge:  # new rows can only lower the least value: history is not read
            self.store.execute(f"create or replace temp view {mart.source} as select * from changed")
            self.store.execute(
                f"insert into marts.{mart.name} {mart.sql} on conflict do update"
                f" set {mart.least} = least({mart.name}.{mart.least}, excluded.{mart.least})"
            )
            return
        touched = f"select {mart.cells} from changed union select {mart.cells} from former"
        self.store.execute(f"create or replace temp table touched as {touched}")
        within = f"{mart.cells} in (select {mart.cells} from touched)"
        self._source_view(mart.source, f"where {within}")
        self.store.execute(f"delete from marts.{mart.name} where {within}")
        self.store.execute(f"insert into marts.{mart.name} {mart.sql}")

    def _source_view(self, relation: str, where: str) -> None:
        self.store.execute(f"create or replace temp view {relation} as select * from staging.{relation} {where}")

    def _copy(self, cursor: Any, query: str, target: str, *, replace: bool) -> int:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": BATCH_BYTES})
        cursor.execute(query)
        self.store.register("arriving", cursor.fetch_record_batch())
        try:
            kind = "table" if "." in target else "temp table"
            made = self.store.execute(f"create or replace {kind} {target} as select * from arriving").fetchone()
        finally:
            self.store.unregister("arriving")
        return int(made[0]) if made else 0

    def _keep(self, position: Position) -> None:
        self.store.execute("delete from feed_state")
        self.store.execute(
            "insert into feed_state values (?, ?, ?)", [position.snapshot, position.cluster, position.read_at]
        )

    def _stored_position(self) -> Position | None:
        self.store.execute("create table if not exists feed_state (snapshot varchar, cluster varchar, read_at double)")
        row = self.store.sql("select snapshot, cluster, read_at from feed_state").fetchone()
        return Position(*row) if row else None

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self.store.sql(query).fetchone()
        if row is None:
            raise ValueError("no row")
        return tuple(row)
