"""Feed: the first load beside COPY drained, the lag under steady writes, and the cost of a refresh."""

from __future__ import annotations

import resource
import time
from statistics import median
from typing import Any

import adbc_driver_postgresql.dbapi  # noqa: F401  (a second to import: once in a process, and no part of a load)
import psycopg

from bench import rows
from bench.live import known, sell, writing
from bench.report import Measure, percentile
from bench.scratch import Scratch, scratch, tell
from data.feed import TABLES, Feed, staging_sql
from data.warehouse import POLL_S, Warehouse

LAG_S = 30
REFRESHES = 15


def run(size: int, small: int | None = None) -> tuple[dict[str, Any], list[Measure]]:
    """All of it at `size`; with `small`, the cost of a refresh there too, for the ratio."""
    little = refresh_at(small) if small else None
    with scratch() as place:
        tell(f"{size:,} sales straight into Postgres")
        rows.fill(place.url, size, tell=tell)
        measures = first_load(place)
        with place.warehouse() as warehouse:
            measures += marts(warehouse)
            measures += refreshes(place, warehouse, little, small)
            measures += lag(place, warehouse)
            file = sum(f.stat().st_size for f in place.home.glob("warehouse/*.duckdb")) >> 20
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return {"sales": size, "warehouse file, MB": file, "peak memory, MB": memory}, measures


def first_load(place: Scratch) -> list[Measure]:
    """Every fed table, copied and drained: the same rows in the same columns."""
    tell("COPY … TO STDOUT, drained")
    count, began = 0, time.monotonic()
    with psycopg.connect(place.url) as db:
        for table in TABLES:
            with db.cursor().copy(f"copy ({staging_sql(table)}) to stdout") as out:
                for _ in out:
                    pass
                count += out.cursor.rowcount
    drained = count / (time.monotonic() - began)
    tell("the first load, without marts")
    with place.warehouse("bare") as warehouse:
        feed = Feed(place.url, warehouse.store.cursor(), with_marts=False)
        began = time.monotonic()
        copied = feed.step().rows
        loaded = copied / (time.monotonic() - began)
        feed.disconnect()
        feed.store.close()
    if copied != count:
        raise RuntimeError(f"{copied} rows and {count} rows")
    return [Measure("first load, marts apart", loaded, "rows/s", drained, "COPY TO STDOUT, drained", "≥ 0.6")]


def marts(warehouse: Warehouse) -> list[Measure]:
    tell("the first load, with marts")
    began = time.monotonic()
    step = warehouse.refresh()
    whole = time.monotonic() - began
    tell("the marts again, from all of history")
    began = time.monotonic()
    warehouse.feed.store.execute("begin")
    warehouse.feed.marts.build()  # type: ignore[union-attr]
    warehouse.feed.store.execute("rollback")
    return [
        Measure("first load, marts included", step.rows / whole, "rows/s"),
        Measure("marts from all of history", time.monotonic() - began, "s"),
    ]


def refresh_at(size: int) -> float:
    with scratch() as place:
        tell(f"{size:,} sales, for the cost of a refresh")
        rows.fill(place.url, size)
        with place.warehouse() as warehouse:
            warehouse.refresh()
            return cost(place, warehouse)[0]


def refreshes(place: Scratch, warehouse: Warehouse, little: float | None, small: int | None) -> list[Measure]:
    tell("refreshes after 1,000 new rows")
    ours, read = cost(place, warehouse)
    measures = [Measure("refresh after 1,000 new rows", ours, "ms", read, "the same rows read by a plain client")]
    if little and small:
        against = f"at {small:,} sales"
        measures.append(Measure("refresh after 1,000 new rows, on this history", ours, "ms", little, against, "≤ 2"))
    return measures


def cost(place: Scratch, warehouse: Warehouse) -> tuple[float, float]:
    """Median milliseconds of a step that brings 1,000 rows, and of a client that reads them by their ids."""
    took, read = [], []
    with psycopg.connect(place.url) as db:
        who = known(db)
        for number in range(REFRESHES):
            ids = sell(db, who, f"refresh-{time.time()}", 1000, number * 104_729)
            db.commit()
            began = time.perf_counter()
            warehouse.refresh()
            took.append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            db.execute(f"{staging_sql('sale')} where t.id between %s and %s", [min(ids), max(ids)]).fetchall()
            read.append((time.perf_counter() - began) * 1000)
            db.commit()
    return median(took), median(read)


def lag(place: Scratch, warehouse: Warehouse) -> list[Measure]:
    """From the answer to a commit until the rows stand in staging, at 1,000 rows a second for half a minute."""
    tell(f"the lag under 1,000 rows/s with long transactions and rollbacks, {LAG_S} s")
    seen: dict[int, float] = {}
    warehouse.refresh()
    with writing(place.url, rough=True) as committed:
        until = time.monotonic() + LAG_S
        while time.monotonic() < until:
            time.sleep(POLL_S)
            look(warehouse, seen)
    look(warehouse, seen)
    missing = set(committed) - set(seen)
    if missing:
        raise RuntimeError(f"{len(missing)} committed rows were not copied")
    late = [(seen[row] - at) * 1000 for row, at in committed.items()]
    return [
        Measure("lag from commit to staging: p50", percentile(late, 0.5), "ms"),
        Measure("lag from commit to staging: p99", percentile(late, 0.99), "ms", 300, "the aim", "< 300 ms"),
        Measure("lag: rows a second", len(late) / LAG_S, "rows/s"),
    ]


def look(warehouse: Warehouse, seen: dict[int, float]) -> None:
    if warehouse.refresh().rows:
        now = time.time()
        for (row,) in warehouse.feed.store.sql("select id from changed").fetchall():
            seen.setdefault(row, now)
