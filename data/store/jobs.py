"""The runs of the jobs, one row per job and business date, and what waits in the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, String, cast, column, func, or_, select, table, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from data.tables import job_run

ONE_CLOCK = 7_316_402_119
"""The advisory lock of the clock: of several replicas one ticks, so that the others need not even look."""

queued = table("procrastinate_jobs", column("id"), column("status"), column("task_name"), column("scheduled_at"))


def take_clock(db: Connection) -> bool:
    """Whether this transaction holds the clock; it gives it back when it ends, however it ends."""
    db.execute(text("set local idle_in_transaction_session_timeout = 0"))
    return bool(db.execute(select(func.pg_try_advisory_xact_lock(ONE_CLOCK))).scalar_one())


def begin(db: Connection, name: str, day: date) -> bool:
    """Write the row that says this run is ours; False when it is done already.

    Another transaction that holds the row is waited for: its outcome decides. The work may take its time.
    """
    db.execute(text("set local idle_in_transaction_session_timeout = 0"))
    taken = insert(job_run).values(name=name, business_day=day, state="running")
    taken = taken.on_conflict_do_update(
        index_elements=[job_run.c.name, job_run.c.business_day],
        set_={
            "state": "running",
            "attempts": job_run.c.attempts + 1,
            "started_at": func.now(),
            "finished_at": None,
            "again_at": None,
        },
        where=job_run.c.state != "done",
    )
    return db.execute(taken.returning(job_run.c.id)).first() is not None


def finish(db: Connection, name: str, day: date, detail: Mapping[str, Any]) -> None:
    """The run is done; its row was written by `begin` in this same transaction."""
    finished = {"state": "done", "detail": dict(detail), "finished_at": func.clock_timestamp()}
    found = db.execute(update(job_run).where(_of(name, day)).values(finished))
    if found.rowcount != 1:
        raise RuntimeError(f"job {name} of {day} has no row to finish")


def fail(db: Connection, name: str, day: date, sentence: str, waits: Sequence[timedelta]) -> None:
    """Remember a failure, after its transaction was undone, and when to try again: `waits` by the attempts so far."""
    detail = {"sentence": sentence}
    row = insert(job_run).values(name=name, business_day=day, state="failed", detail=detail, finished_at=func.now())
    row = row.on_conflict_do_update(
        index_elements=[job_run.c.name, job_run.c.business_day],
        set_={
            "state": "failed",
            "attempts": job_run.c.attempts + 1,
            "detail": row.excluded.detail,
            "finished_at": func.now(),
            "again_at": None,
        },
        where=job_run.c.state != "done",
    )
    attempts = db.execute(row.returning(job_run.c.attempts)).scalar_one_or_none()
    if attempts is not None and attempts <= len(waits):
        db.execute(update(job_run).where(_of(name, day)).values(again_at=func.now() + waits[attempts - 1]))


def settled(db: Connection, name: str, since: date, at: datetime) -> set[date]:
    """The dates from `since` on that need no run at `at`: done, or failed and not to be tried again yet."""
    rests = or_(job_run.c.state == "done", job_run.c.again_at.is_(None), job_run.c.again_at > at)
    days = select(job_run.c.business_day).where(job_run.c.name == name, job_run.c.business_day >= since, rests)
    return set(db.execute(days).scalars())


def latest(db: Connection) -> dict[str, dict[str, Any]]:
    """The newest run of each job, by name."""
    newest = select(job_run).ext(distinct_on(job_run.c.name)).order_by(job_run.c.name, job_run.c.business_day.desc())
    return {row["name"]: dict(row) for row in db.execute(newest).mappings()}


def runs(db: Connection, *, limit: int) -> list[dict[str, Any]]:
    """The newest runs of all jobs."""
    newest = select(job_run).order_by(job_run.c.business_day.desc(), job_run.c.id.desc()).limit(limit)
    return [dict(row) for row in db.execute(newest).mappings()]


def queue_lengths(db: Connection) -> dict[str, int]:
    """How much deferred work waits, runs and has failed."""
    state = cast(queued.c.status, String)
    counts = {
        row.state: row.n for row in db.execute(select(state.label("state"), func.count().label("n")).group_by(state))
    }
    return {"waiting": counts.get("todo", 0), "running": counts.get("doing", 0), "failed": counts.get("failed", 0)}


def _of(name: str, day: date) -> Any:
    return (job_run.c.name == name) & (job_run.c.business_day == day)
