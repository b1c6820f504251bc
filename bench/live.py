"""A shop that is open: a thousand sale lines a second, in transactions of twenty, some long, some rolled back."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

PER_TRANSACTION = 20
WRITERS = 4

LINES = """
insert into sale (source, source_id, order_id, line_no, kind, amount_minor, currency, house_minor, customer_id,
                  partner_id, attribution, product, category, region, country, channel, at, business_day)
select 'live', %(stem)s || '-' || n, %(stem)s || '-' || n / 2, 1 + n %% 2, 'sale', 500 + n, 'USD', 500 + n,
       %(customer)s + (%(draw)s + n / 2 * 7919) %% %(customers)s, %(partner)s + (%(draw)s + n / 2) %% 400, 'explicit',
       'product ' || n %% 200, 'category ' || n %% 10, 'eu', 'DE', 'web', now(), date '2026-11-20'
from generate_series(0, %(lines)s - 1) as n
returning id
"""


def known(db: psycopg.Connection[tuple[int]]) -> dict[str, int]:
    """Who there is to sell to, and through whom: looked up once."""
    found = db.execute("select min(id), count(*), (select min(id) from partner) from customer").fetchone()
    db.commit()
    return dict(zip(("customer", "customers", "partner"), found or (), strict=True))


def sell(db: psycopg.Connection[tuple[int]], who: dict[str, int], stem: str, lines: int, draw: int) -> list[int]:
    return [row[0] for row in db.execute(LINES, {**who, "stem": stem, "lines": lines, "draw": draw}).fetchall()]


@contextmanager
def writing(url: str, *, rows_per_s: int = 1000, rough: bool = False) -> Iterator[dict[int, float]]:
    """Yields, for each committed row, when its commit was answered. `rough`: long transactions and rollbacks too."""
    committed: dict[int, float] = {}
    stop = threading.Event()
    writers = [
        threading.Thread(target=write, args=(url, seed, rows_per_s / WRITERS, rough, committed, stop))
        for seed in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    yield committed
    stop.set()
    for writer in writers:
        writer.join()


def write(url: str, seed: int, pace: float, rough: bool, committed: dict[int, float], stop: threading.Event) -> None:
    draw = random.Random(seed)
    with psycopg.connect(url) as db:
        who, number = known(db), 0
        due = time.monotonic()
        while not stop.is_set():
            number += 1
            ids = sell(db, who, f"{seed}-{number}-{draw.random()}", PER_TRANSACTION, draw.randrange(1 << 30))
            if rough and draw.random() < 0.02:
                time.sleep(draw.uniform(1, 3))
            if rough and draw.random() < 0.1:
                db.rollback()
            else:
                db.commit()
                now = time.time()
                committed.update((row, now) for row in ids)
            due += PER_TRANSACTION / pace
            time.sleep(max(0.0, due - time.monotonic()))
