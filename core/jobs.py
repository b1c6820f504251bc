"""The night at a glance: what runs by itself, when, and what for; and work that is deferred until a commit.

A job runs once for each business date. The clock ticks every five minutes and runs each date whose local time has
passed and that has no row yet; the row is unique and written by the transaction that does the work. So a night without
a 02:00 and a night with two of them both have one run, and a killed process leaves either all of a run or none.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from core import insights
from core.errors import BrokenPromise, NotFound, Refusal
from core.money import EXPONENTS
from core.periods import now, zone
from core.runtime import house
from core.trust import audit
from core.viewer import SYSTEM, Viewer, require
from data import queue
from data.postgres import transaction
from data.store import jobs as store
from data.store import rates

log = logging.getLogger("millrace.jobs")

Detail = Mapping[str, Any]
"""What a run did, in plain numbers and words; kept in its row."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that runs by itself, once for each business date."""

    name: str
    at: time
    work: Callable[[Connection, date], Detail]
    sentence: str
    where: str = "house"  # the zone of `at`: the house's, or an IANA name
    days_back: int = 1  # after days off, the newest so many dates are caught up; earlier ones by hand

    @property
    def zone(self) -> ZoneInfo:
        return zone(house().settings.timezone if self.where == "house" else self.where)


@dataclass(frozen=True, slots=True)
class Work:
    """Work that is deferred until the transaction that asks for it has committed. It may be done twice."""

    name: str
    act: Callable[..., object]
    sentence: str


# ── what the jobs do ───────────────────────────────────────────────────────────────────────────────────────────────


def lock_rates(db: Connection, _: date) -> Detail:
    return {"locked": rates.lock(db, rates.HouseCurrency(house().settings.currency, EXPONENTS))}


def check(_: Connection, __: date) -> Detail:
    findings = insights.check(SYSTEM)
    broken = [f"{finding.what}: {line}" for finding in findings for line in finding.breaks]
    if broken:
        raise BrokenPromise(f"{len(broken)} differences between warehouse and Postgres. {broken[0]}")
    return {"held": len(findings), "compared": sum(finding.compared for finding in findings)}


# ── the night ──────────────────────────────────────────────────────────────────────────────────────────────────────

JOBS: tuple[Job, ...] = (
    Job(
        "lock_rates",
        time(1, 30),
        lock_rates,
        "Lock the exchange rate of every row that was stored before its rate was known.",
    ),
    Job("check", time(3, 0), check, "Prove that the warehouse equals Postgres, to the unit, and keep the evidence."),
)

WORK: tuple[Work, ...] = (
    Work("run_job", lambda name, day: run(named(name), date.fromisoformat(day)), "Run a job that an admin asked for."),
)

TICK_S = 300.0
FIRST_TICK_S = 20.0  # leaves the start of a server to its first readers
WAITS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 180, 360))
"""After a failure a job is tried again after these; then it rests until somebody runs it by hand."""


class UnknownJob(NotFound):
    code = "unknown_job"


def named(name: str) -> Job:
    for job in JOBS:
        if job.name == name:
            return job
    raise UnknownJob(f"There is no job “{name[:40]}”; there are {', '.join(job.name for job in JOBS)}.")


# ── running one date of a job ──────────────────────────────────────────────────────────────────────────────────────

Outcome = Literal["done", "done before", "failed"]


def run(job: Job, day: date) -> tuple[Outcome, Detail]:
    """Run `job` for a business date, unless that is done. A failure is remembered with its sentence, not raised."""
    try:
        with transaction() as db:
            if not store.begin(db, job.name, day):
                return "done before", {}
            detail = job.work(db, day)
            store.finish(db, job.name, day, detail)
        return "done", detail
    except Exception as error:
        sentence = _sentence(error)
        log.exception("job %s of %s failed", job.name, day)
        with transaction() as db:
            store.fail(db, job.name, day, sentence, WAITS)
        return "failed", {"sentence": sentence}


def _sentence(error: Exception) -> str:
    """What a failed run says for itself: our own sentences as they are, foreign ones with their kind."""
    ours = isinstance(error, (Refusal, BrokenPromise))
    return (str(error) if ours else f"{type(error).__name__}: {error}").partition("\n")[0][:500]


def request(db: Connection, viewer: Viewer, name: str, day: date) -> bool:
    """Have a job run for a date as soon as this transaction has committed; False when that waits already."""
    require(viewer, "admin")
    audit.record(db, viewer, "job.requested", f"job:{named(name).name}", after={"business_day": day})
    return defer(db, "run_job", once=f"run_job:{name}:{day}", name=name, day=day.isoformat())


def defer(db: Connection, work: str, *, once: str | None = None, **args: Any) -> bool:
    """Enqueue deferred work in the transaction of `db`. `args` are plain JSON values.

    With `once`, work of that name that waits already stands for this; False says so.
    """
    if work not in {known.name for known in WORK}:
        raise UnknownJob(f"There is no deferred work “{work}”; list it in core/jobs.py.")
    return queue.put(db, work, args, once=once) is not None


# ── the clock ──────────────────────────────────────────────────────────────────────────────────────────────────────


def moment(job: Job, day: date, where: ZoneInfo) -> datetime:
    """When `job` is due on `day`. A local time that the night skips is due when the clocks have gone forward; of one
    that comes twice, the first counts."""
    return datetime.combine(day, job.at, tzinfo=where)


def due_days(job: Job, at: datetime, where: ZoneInfo) -> list[date]:
    """The newest `days_back` dates whose time has passed at `at`, oldest first."""
    today = at.astimezone(where).date()
    last = today if moment(job, today, where).timestamp() <= at.timestamp() else today - timedelta(days=1)
    return [last - timedelta(days=back) for back in reversed(range(job.days_back))]


def next_due(job: Job, at: datetime, where: ZoneInfo) -> datetime:
    return moment(job, due_days(job, at, where)[-1] + timedelta(days=1), where)


def tick(at: datetime | None = None, jobs: tuple[Job, ...] = JOBS) -> list[tuple[str, date, Outcome]]:
    """Run all that is due at `at` and not done. Of several processes one ticks; the others find the clock taken."""
    at = at or now()
    ran = []
    with transaction() as clock:
        if not store.take_clock(clock):
            return []
        seen = store.latest(clock)
        for job in jobs:
            days = due_days(job, at, job.zone)
            if job.name not in seen:
                days = days[-1:]  # a new house, or a new job, has no nights to catch up
            settled = store.settled(clock, job.name, days[0], at)
            ran += [(job.name, day, run(job, day)[0]) for day in days if day not in settled]
    return ran


def start_clock(stop: threading.Event) -> threading.Thread:
    """Tick every five minutes until `stop` is set; the caller joins the thread."""

    def ticking() -> None:
        pause = FIRST_TICK_S
        while not stop.wait(pause):
            pause = TICK_S
            try:
                tick()
            except Exception:
                log.exception("the clock missed a tick; the next one makes up for it")

    thread = threading.Thread(target=ticking, name="millrace-clock", daemon=True)
    thread.start()
    return thread


def start_worker(stop: threading.Event) -> threading.Thread:
    """Do deferred work until `stop` is set; the caller joins the thread."""
    tasks = {work.name: work.act for work in WORK}
    thread = threading.Thread(
        target=queue.work, args=(house().database_url, tasks, stop), name="millrace-worker", daemon=True
    )
    thread.start()
    return thread


# ── for the System screen and the command ──────────────────────────────────────────────────────────────────────────


def overview(db: Connection, viewer: Viewer) -> dict[str, Any]:
    """`jobs`: each with its last run and next time; `runs`: the newest runs; `queue`: waiting, running, failed."""
    require(viewer, "admin")
    newest, at = store.latest(db), now()
    return {
        "jobs": [_line(job, newest.get(job.name), at) for job in JOBS],
        "runs": store.runs(db, limit=50),
        "queue": store.queue_lengths(db),
    }


def _line(job: Job, last: Mapping[str, Any] | None, at: datetime) -> dict[str, Any]:
    last = last or {}
    return {
        "name": job.name,
        "sentence": job.sentence,
        "at": f"{job.at:%H:%M}",
        "zone": job.zone.key,
        "next_due": next_due(job, at, job.zone),
        "last_day": last.get("business_day"),
        "last_state": last.get("state"),
        "last_finished_at": last.get("finished_at"),
        "last_detail": last.get("detail"),
        "attempts": last.get("attempts"),
    }
