"""The proof that the copy is true: warehouse = Postgres at one snapshot, by partner, day and currency, to the unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data.feed import TABLES
from data.marts import STORED, columns, over, summed
from data.relations import Mart
from data.warehouse import Warehouse

BREAKS_SHOWN_MAX = 20

CELLS = """
select partner_id, business_day, currency, count(*) as lines,
       cast(sum(amount_minor) as bigint) as net_minor, cast(coalesce(sum(house_minor), 0) as bigint) as house_net_minor
from {sale} group by partner_id, business_day, currency
"""
MART = """
select partner_id, business_day, currency, cast(sum(lines) as bigint) as lines,
       cast(sum(net_minor) as bigint) as net_minor, cast(sum(house_net_minor) as bigint) as house_net_minor
from marts.revenue_day group by partner_id, business_day, currency having sum(lines) <> 0
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison: what was held against what, over how many cells, and the first cells that differ."""

    what: str
    compared: int
    breaks: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.breaks


def compare(warehouse: Warehouse) -> list[Finding]:
    """Feed up to one snapshot, and hold every copied table and mart against Postgres at that same snapshot."""
    findings: list[Finding] = []
    warehouse.feed.step(also=lambda cursor: findings.extend(_findings(warehouse, cursor)))
    return findings


def _findings(warehouse: Warehouse, cursor: Any) -> list[Finding]:
    store = warehouse.feed.store
    _fetch(store, cursor, CELLS.format(sale="sale"), "record_cells")
    store.execute(f"create or replace temp table copied_cells as {CELLS.format(sale='staging.sale')}")
    store.execute(f"create or replace temp table mart_cells as {MART}")
    findings = [
        _cells(store, "copied sale lines = Postgres, by partner, day and currency", "copied_cells"),
        _cells(store, "revenue by day = Postgres, by partner, day and currency", "mart_cells"),
    ]
    findings += [_mart(store, mart) for mart in STORED]
    return findings + [_rows(store, cursor, table) for table in TABLES]


def _fetch(store: Any, cursor: Any, query: str, name: str) -> None:
    cursor.execute(query)
    store.register("arriving", cursor.fetch_record_batch())
    store.execute(f"create or replace temp table {name} as select * from arriving")
    store.unregister("arriving")


def _cells(store: Any, what: str, copy: str) -> Finding:
    differing = f"""
        select coalesce(a.partner_id, b.partner_id), coalesce(a.business_day, b.business_day),
               coalesce(a.currency, b.currency),
               a.net_minor, b.net_minor, a.lines, b.lines, a.house_net_minor, b.house_net_minor
        from record_cells as a full join {copy} as b
          on a.partner_id is not distinct from b.partner_id
         and a.business_day = b.business_day and a.currency = b.currency
        where (a.lines, a.net_minor, a.house_net_minor) is distinct from (b.lines, b.net_minor, b.house_net_minor)
        order by 2, 1, 3 limit {BREAKS_SHOWN_MAX}"""
    breaks = tuple(
        f"partner {p if p is not None else 'none'}, {day}, {currency}:"
        f" Postgres {net} in {n} lines, warehouse {net2} in {n2}"
        for p, day, currency, net, net2, n, n2, *_ in store.sql(differing).fetchall()
    )
    return Finding(what, _count(store, "record_cells"), breaks)


def _mart(store: Any, mart: Mart) -> Finding:
    """Cells that were kept change by change are those that all of history gives at once."""
    kept = f"select * from marts.{mart.name}"
    if mart.sums:
        filled = " or ".join(f"sum({name}) <> 0" for name in mart.sums[: mart.counts])
        kept = f"{summed(mart)} from marts.{mart.name} group by {', '.join(mart.cells)} having {filled}"
    store.execute(f"create or replace temp table kept as {kept}")
    worked_out = f"select {columns(mart)} from ({over(mart, f'staging.{mart.source}')}) as cells"
    store.execute(f"create or replace temp table worked_out as {worked_out}")
    differing = (
        "select 'kept', * from (select * from kept except all select * from worked_out) union all"
        " select 'worked out', * from (select * from worked_out except all select * from kept)"
        f" order by all limit {BREAKS_SHOWN_MAX}"
    )
    breaks = tuple(f"{which}: {', '.join(map(str, cell))}" for which, *cell in store.sql(differing).fetchall())
    return Finding(f"{mart.name} = its definition over all lines", _count(store, "worked_out"), breaks)


def _rows(store: Any, cursor: Any, table: str) -> Finding:
    """Every row is there once, by count and by the sum of ids."""
    query = "select count(*), cast(coalesce(sum(id), 0) as bigint) from {}"
    cursor.execute(query.format(table))
    record = tuple(cursor.fetchone())
    copied = tuple(store.execute(query.format(f"staging.{table}")).fetchall()[0])
    breaks = () if record == copied else (f"Postgres {record[0]} rows, warehouse {copied[0]} rows",)
    return Finding(f"rows of {table} = Postgres", record[0], breaks)


def _count(store: Any, table: str) -> int:
    return int(store.execute(f"select count(*) from {table}").fetchall()[0][0])
