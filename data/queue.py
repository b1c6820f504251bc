"""Deferred work: put into Postgres by the transaction that makes it necessary, done once that has committed.

The queue is procrastinate's. Work is delivered at least once: a worker that is killed after its commit and before its
receipt does it again, so what it does must carry a key of its own (docs/decisions/0008-jobs-stand-on-postgres.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, RetryStrategy, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from sqlalchemy import Connection

log = logging.getLogger("millrace.queue")

ATTEMPTS_MAX = 6
POLL_S = 5.0  # new work is notified; this finds what is tried again
HEARTBEAT_S = 10.0
STALLED_S = 30.0
"""A worker that has been silent for so long is dead; its work goes to another."""
RECONNECT_S = 5.0


def put(db: Connection, name: str, args: Mapping[str, Any], *, once: str | None = None) -> int | None:
    """Enqueue work in the transaction of `db`: it exists if and only if that commits.

    `once` names it: where work of that name waits already, nothing is added and None is returned.
    """
    deferring = App(connector=SyncPsycopgConnector())
    with contextlib.suppress(AlreadyEnqueued), db.begin_nested():
        task = deferring.configure_task(name, connection=db.connection.driver_connection, queueing_lock=once)
        return task.defer(**args)
    return None


def work(url: str, tasks: Mapping[str, Callable[..., Any]], stop: threading.Event) -> None:
    """Do what is deferred, one piece at a time, until `stop` is set; a lost Postgres is waited for."""
    while not stop.is_set():
        try:
            asyncio.run(_work(url, tasks, stop))
        except (ConnectorException, psycopg.Error) as error:
            log.warning("The worker lost Postgres and tries again: %s", error)
        stop.wait(0 if stop.is_set() else RECONNECT_S)


async def _work(url: str, tasks: Mapping[str, Callable[..., Any]], stop: threading.Event) -> None:
    app = App(connector=PsycopgConnector(conninfo=url, min_size=1, max_size=4))
    for name, function in tasks.items():
        app.task(name=name, retry=RetryStrategy(max_attempts=ATTEMPTS_MAX, exponential_wait=4))(function)
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                install_signal_handlers=False,
                delete_jobs="successful",
                fetch_job_polling_interval=POLL_S,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_S,
                shutdown_graceful_timeout=5.0,
            )
        )
        rescue = asyncio.create_task(_rescue(app))
        stopped = asyncio.create_task(_until(stop))
        await asyncio.wait({worker, rescue, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (worker, rescue, stopped):
            task.cancel()
        outcomes = await asyncio.gather(worker, rescue, stopped, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


async def _rescue(app: App) -> None:
    """Give the work of dead workers to living ones."""
    while True:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
            log.warning("Work %s was begun by a worker that died; it is done again.", job.id)
            await app.job_manager.retry_job(job)
        await asyncio.sleep(HEARTBEAT_S)


async def _until(stop: threading.Event) -> None:
    while not stop.is_set():
        await asyncio.sleep(0.2)
