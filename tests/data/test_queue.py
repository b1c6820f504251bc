"""Deferred work exists if and only if its transaction commits, and a dead worker's work is done by another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import text

from data import queue
from data.postgres import transaction

WAIT_S_MAX = 30.0


class Done:
    """Work whose doings can be looked at."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def act(self, number: int) -> None:
        self.numbers.append(number)


@contextmanager
def worker(url: str, act: Callable[..., object]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=queue.work, args=(url, {"act": act}, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(WAIT_S_MAX)
    assert not thread.is_alive()


def until(true: Callable[[], object]) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < WAIT_S_MAX
        time.sleep(0.05)


def waiting() -> int:
    with transaction() as db:
        return int(db.execute(text("select count(*) from procrastinate_jobs")).scalar_one())


@pytest.mark.usefixtures("database")
def test_work_of_a_transaction_that_is_undone_is_never_done() -> None:
    with suppress(ZeroDivisionError), transaction() as db:
        queue.put(db, "act", {"number": 1})
        raise ZeroDivisionError
    assert waiting() == 0


@pytest.mark.usefixtures("database")
def test_work_that_waits_already_is_not_added_and_the_transaction_goes_on() -> None:
    with transaction() as db:
        assert queue.put(db, "act", {"number": 1}, once="one")
        assert queue.put(db, "act", {"number": 1}, once="one") is None
        db.execute(text("insert into annotation (business_day, label) values ('2026-01-01', 'after')"))
    assert waiting() == 1


def test_work_is_done_after_the_commit_and_leaves_the_queue(database: Any) -> None:
    done = Done()
    with worker(database.url, done.act):
        with transaction() as db:
            queue.put(db, "act", {"number": 7})
        until(lambda: done.numbers == [7])
        until(lambda: waiting() == 0)


CUT = """
select pg_terminate_backend(pid) from pg_stat_activity
where pid <> pg_backend_pid() and datname = current_database()
"""


def test_a_worker_survives_the_loss_of_its_connections(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "RECONNECT_S", 0.1)
    monkeypatch.setattr(queue, "POLL_S", 0.2)
    done = Done()
    with worker(database.url, done.act):
        with transaction() as db:
            queue.put(db, "act", {"number": 1})
        until(lambda: done.numbers == [1])
        with transaction() as db:
            db.execute(text(CUT))
        with transaction() as db:
            queue.put(db, "act", {"number": 2})
        until(lambda: done.numbers == [1, 2])


CHILD = """
import sys, threading, time
from data import queue

def act(number):
    print("begun", flush=True)
    time.sleep(60)

queue.work(sys.argv[1], {"act": act}, threading.Event())
"""


def test_the_work_of_a_killed_worker_is_done_by_another(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "STALLED_S", 0.5)
    monkeypatch.setattr(queue, "POLL_S", 0.2)
    monkeypatch.setattr(queue, "HEARTBEAT_S", 0.1)
    with transaction() as db:
        queue.put(db, "act", {"number": 3})
    with subprocess.Popen([sys.executable, "-c", CHILD, database.url], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "begun\n"
        os.kill(child.pid, signal.SIGKILL)
    done = Done()
    with worker(database.url, done.act):
        until(lambda: done.numbers == [3])
