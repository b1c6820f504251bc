"""How far the demo has been loaded: one row of job_run, written with the rows that it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from data.tables import job_run, sale

NAME = "demo"


def has_other_sales(db: Connection, source: str) -> bool:
    """Whether there are sales of another source than the demo's."""
    return db.execute(select(sale.c.id).where(sale.c.source != source).limit(1)).first() is not None


def begun(db: Connection) -> Mapping[str, Any] | None:
    """The demo that was begun here, whether it is done or not: business_day, state, detail."""
    found = select(job_run.c.business_day, job_run.c.state, job_run.c.detail).where(job_run.c.name == NAME)
    row = db.execute(found.order_by(job_run.c.id).limit(1)).mappings().first()
    return dict(row) if row else None


def begin(db: Connection, day: date, detail: Mapping[str, Any]) -> None:
    """Note that the demo of a day begins; one that was begun by somebody else stays as it is."""
    row = insert(job_run).values(name=NAME, business_day=day, state="running", detail=dict(detail))
    db.execute(row.on_conflict_do_nothing())


def hold(db: Connection, day: date) -> int:
    """How many steps are done; until this transaction ends nobody else does one."""
    row = select(job_run.c.detail["steps"].as_integer()).where(job_run.c.name == NAME, job_run.c.business_day == day)
    return int(db.execute(row.with_for_update()).scalar_one())


def note(db: Connection, day: date, detail: Mapping[str, Any], *, is_done: bool = False) -> None:
    values: dict[str, Any] = {"detail": dict(detail)}
    if is_done:
        values |= {"state": "done", "finished_at": func.clock_timestamp()}
    found = db.execute(update(job_run).where(job_run.c.name == NAME, job_run.c.business_day == day).values(values))
    if found.rowcount != 1:
        raise RuntimeError(f"the demo of {day} has no row to note")
