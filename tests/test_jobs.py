"""Jobs run once for each business date: on DST nights, under two clocks at once, and when killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time as clock
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from core import jobs
from core.errors import NotAllowed, Refusal
from core.jobs import Job, due_days, moment, next_due, tick
from core.viewer import Viewer
from data.postgres import transaction
from data.store import jobs as store

NEW_YORK = ZoneInfo("America/New_York")


def note(db: Connection, day: date) -> dict[str, object]:
    """A job's work whose effect can be counted."""
    db.execute(text("insert into annotation (business_day, label) values (:day, 'ran')"), {"day": day})
    return {"noted": 1}


def nightly(**changes: object) -> Job:
    given = {"name": "note", "at": time(2), "work": note, "sentence": "Note.", "where": "America/New_York"}
    return Job(**(given | changes))  # type: ignore[arg-type]


def noted() -> list[date]:
    with transaction() as db:
        return list(db.execute(text("select business_day from annotation order by id")).scalars())


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_a_night_without_two_o_clock_has_its_run_when_the_clocks_have_gone_forward() -> None:
    # FACTS case 3: on 8 March 2026 New York goes from 02:00 EST to 03:00 EDT.
    due = moment(nightly(), date(2026, 3, 8), NEW_YORK).astimezone(UTC)
    assert due.astimezone(NEW_YORK).strftime("%H:%M %Z") == "03:00 EDT"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("night", [date(2026, 3, 8), date(2026, 11, 1)], ids=["23 hours", "25 hours"])
@pytest.mark.parametrize("hour", [1, 2])
def test_a_night_on_which_the_clocks_change_has_one_run(night: date, hour: int) -> None:
    begin = datetime.combine(night, time(0), tzinfo=NEW_YORK).astimezone(UTC)
    for minutes in range(0, 26 * 60, 5):
        tick(begin + timedelta(minutes=minutes), (nightly(at=time(hour, 30)),))
    assert noted().count(night) == 1


def test_a_date_is_due_from_its_local_time_on_and_not_before() -> None:
    job = nightly()
    assert due_days(job, utc(2026, 1, 10, 6, 59), NEW_YORK) == [date(2026, 1, 9)]
    assert due_days(job, utc(2026, 1, 10, 7, 0), NEW_YORK) == [date(2026, 1, 10)]
    assert next_due(job, utc(2026, 1, 10, 7, 0), NEW_YORK) == moment(job, date(2026, 1, 11), NEW_YORK)


@pytest.mark.usefixtures("database")
def test_after_days_off_the_newest_dates_are_caught_up_and_no_more() -> None:
    job = nightly(days_back=3)
    tick(utc(2026, 1, 1, 12), (job,))
    tick(utc(2026, 1, 20, 12), (job,))
    assert noted() == [date(2026, 1, 1), date(2026, 1, 18), date(2026, 1, 19), date(2026, 1, 20)]


@pytest.mark.usefixtures("database")
def test_a_new_house_has_no_nights_to_catch_up() -> None:
    tick(utc(2026, 1, 20, 12), (nightly(days_back=7),))
    assert noted() == [date(2026, 1, 20)]


@pytest.mark.usefixtures("database")
def test_two_processes_that_run_the_same_date_do_the_work_once() -> None:
    together = threading.Barrier(2)

    def slowly(db: Connection, day: date) -> dict[str, object]:
        clock.sleep(0.2)
        return note(db, day)

    def one(outcomes: list[str]) -> None:
        together.wait()
        outcomes.append(jobs.run(nightly(work=slowly), date(2026, 1, 1))[0])

    outcomes: list[str] = []
    threads = [threading.Thread(target=one, args=(outcomes,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "done before"]
    assert noted() == [date(2026, 1, 1)]


@pytest.mark.usefixtures("database")
def test_while_one_process_ticks_another_does_not() -> None:
    with transaction() as other:
        assert store.take_clock(other)
        assert tick(utc(2026, 1, 1, 12), (nightly(),)) == []
    assert tick(utc(2026, 1, 1, 12), (nightly(),)) == [("note", date(2026, 1, 1), "done")]


@pytest.mark.usefixtures("database")
def test_a_failed_job_leaves_its_sentence_and_nothing_else_and_is_tried_again_later() -> None:
    def half(db: Connection, day: date) -> dict[str, object]:
        note(db, day)
        raise Refusal("The bank is closed; try tomorrow.")

    broken, mended, day = nightly(work=half), nightly(), datetime.now(UTC).date()
    at = datetime.combine(day, time(23), tzinfo=NEW_YORK)
    assert jobs.run(broken, day) == ("failed", {"sentence": "The bank is closed; try tomorrow."})
    assert noted() == []
    with transaction() as db:
        row = store.latest(db)["note"]
        assert (row["state"], row["attempts"], row["detail"]["sentence"]) == (
            "failed",
            1,
            "The bank is closed; try tomorrow.",
        )
        assert store.settled(db, "note", day, row["again_at"] - timedelta(seconds=1)) == {day}
        assert store.settled(db, "note", day, row["again_at"]) == set()
    assert tick(max(at, row["again_at"]), (mended,))[-1] == ("note", day, "done")
    assert noted() == [day]


@pytest.mark.usefixtures("database")
def test_a_job_that_keeps_failing_rests_until_it_is_run_by_hand() -> None:
    def never(db: Connection, day: date) -> dict[str, object]:
        raise ValueError("no")

    day = date(2026, 1, 1)
    for _ in range(len(jobs.WAITS) + 1):
        assert jobs.run(nightly(work=never), day)[0] == "failed"
    with transaction() as db:
        assert store.latest(db)["note"]["again_at"] is None
        assert store.settled(db, "note", day, utc(2099, 1, 1)) == {day}
    assert jobs.run(nightly(), day)[0] == "done"
    assert jobs.run(nightly(), day)[0] == "done before"


CHILD = """
import sys, time
from datetime import date, time as at
from sqlalchemy import text
from core.jobs import Job, run
from data import postgres

def slowly(db, day):
    db.execute(text("insert into annotation (business_day, label) values (:day, 'ran')"), {"day": day})
    print("in the middle", flush=True)
    time.sleep(60)

postgres.use(postgres.connect(sys.argv[1]))
run(Job("note", at(2), slowly, "Note."), date(2026, 1, 1))
"""


def test_a_job_killed_in_the_middle_has_done_nothing_and_runs_again(database: Any) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, database.url], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout
        assert child.stdout.readline() == "in the middle\n"
        os.kill(child.pid, signal.SIGKILL)
    assert jobs.run(nightly(), date(2026, 1, 1))[0] == "done"
    assert noted() == [date(2026, 1, 1)]


def test_every_job_and_work_has_a_sentence_and_a_name_of_its_own() -> None:
    listed = [*jobs.JOBS, *jobs.WORK]
    assert all(each.sentence.endswith(".") and len(each.sentence) > 20 for each in listed)
    assert len({each.name for each in listed}) == len(listed)


def test_deferred_work_that_is_not_listed_is_refused(db: Connection) -> None:
    with pytest.raises(jobs.UnknownJob):
        jobs.defer(db, "unheard_of")


def test_only_an_admin_sees_the_jobs_and_asks_for_one(
    db: Connection, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "house", lambda: SimpleNamespace(settings=SimpleNamespace(timezone="Europe/Berlin")))
    analyst = Viewer(admin.person_id, "Ann", "ann@example.com", frozenset({"analyst"}))
    with pytest.raises(NotAllowed):
        jobs.overview(db, analyst)
    with pytest.raises(NotAllowed):
        jobs.request(db, analyst, "check", date(2026, 1, 1))
    assert jobs.request(db, admin, "check", date(2026, 1, 1))
    assert not jobs.request(db, admin, "check", date(2026, 1, 1))
    seen = jobs.overview(db, admin)
    assert [line["name"] for line in seen["jobs"]] == [job.name for job in jobs.JOBS]
    assert seen["queue"] == {"waiting": 1, "running": 0, "failed": 0}
