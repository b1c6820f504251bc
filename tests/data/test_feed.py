"""The copy is exact: nothing lost, nothing twice, however writers interleave and whenever the feed is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from data import postgres
from data.warehouse import Warehouse

IS_NIGHT = os.environ.get("MILLRACE_FAULTS") == "nightly"
Breaks = Callable[[Warehouse], list[str]]


def lines(warehouse: Warehouse) -> int:
    return warehouse.feed.store.execute("select count(*) from staging.sale").fetchall()[0][0]


def test_the_first_look_copies_everything(shop: Any, warehouse: Warehouse, breaks: Breaks) -> None:
    for _ in range(30):
        shop.sell()
    shop.db.commit()
    step = warehouse.refresh()
    assert step.reloaded
    assert lines(warehouse) == 30
    assert breaks(warehouse) == []


def test_a_transaction_that_commits_late_is_not_lost(shop: Any, warehouse: Warehouse, breaks: Breaks) -> None:
    warehouse.refresh()
    shop.sell()  # takes the lower id, and stays open
    with psycopg.connect(shop.url) as other:
        other.execute(
            "insert into spend (source, source_id, business_day, channel, amount_minor, currency)"
            " values ('ads', '1', '2026-03-01', 'search', 100, 'USD')"
        )
        other.execute(
            "insert into sale (source, source_id, order_id, kind, amount_minor, currency, at, business_day)"
            " values ('shop', 'quick', 'o1', 'sale', 100, 'USD', now(), '2026-03-01')"
        )
    assert warehouse.refresh().rows == 2
    shop.db.commit()
    assert warehouse.refresh().rows == 1
    assert lines(warehouse) == 2
    assert breaks(warehouse) == []


def test_a_look_at_nothing_new_copies_nothing(shop: Any, warehouse: Warehouse) -> None:
    warehouse.refresh()
    shop.sell()
    shop.db.rollback()
    assert warehouse.refresh().rows == 0
    assert warehouse.refresh().rows == 0


def test_a_row_that_changes_leaves_its_former_cells(shop: Any, warehouse: Warehouse, breaks: Breaks) -> None:
    moved = shop.sell(kind="sale", business_day="2026-03-01", partner="p1", customer="c1", order_id="o1")
    shop.sell(kind="sale", business_day="2026-03-02", partner="p1", customer="c1", order_id="o1")
    shop.db.commit()
    warehouse.refresh()
    shop.db.execute(
        "update sale set business_day = '2026-03-05', partner_id = null, attribution = 'none' where id = %s", [moved]
    )
    shop.db.commit()
    warehouse.refresh()
    days = warehouse.feed.store.sql(
        "select business_day::text, sum(lines)::int from marts.revenue_day group by 1 order by 1"
    )
    assert days.fetchall() == [("2026-03-02", 1), ("2026-03-05", 1)]
    assert breaks(warehouse) == []


def test_a_locked_rate_reaches_the_cells(shop: Any, warehouse: Warehouse, breaks: Breaks) -> None:
    for _ in range(10):
        shop.sell(currency="EUR", house_minor=None, kind="sale")
    shop.db.commit()
    warehouse.refresh()
    shop.db.execute("update sale set house_minor = amount_minor * 2")
    shop.db.commit()
    warehouse.refresh()
    ((unpriced, house),) = warehouse.feed.store.execute(
        "select count(*) filter (not has_rate), sum(house_net_minor) - 2 * sum(net_minor) from marts.revenue_day"
    ).fetchall()
    assert (unpriced, house) == (0, 0)
    assert breaks(warehouse) == []


def test_a_deleted_row_goes_by_its_tombstone(shop: Any, warehouse: Warehouse, breaks: Breaks) -> None:
    first = shop.sell(kind="sale", customer="c1")
    shop.sell(kind="sale", customer="c1")
    shop.db.commit()
    warehouse.refresh()
    shop.db.execute("delete from sale where id = %s", [first])
    shop.db.commit()
    warehouse.refresh()
    assert lines(warehouse) == 1
    assert breaks(warehouse) == []


def test_a_row_written_and_deleted_between_two_looks_leaves_nothing(
    shop: Any, warehouse: Warehouse, breaks: Breaks
) -> None:
    warehouse.refresh()
    row = shop.sell()
    shop.db.commit()
    shop.db.execute("delete from sale where id = %s", [row])
    shop.db.commit()
    warehouse.refresh()
    assert lines(warehouse) == 0
    assert breaks(warehouse) == []


def test_an_order_that_loses_one_line_and_gains_another_between_two_looks(
    shop: Any, warehouse: Warehouse, breaks: Breaks
) -> None:
    first = shop.sell(
        kind="sale", source="shop", order_id="o1", business_day="2026-03-01", partner=None, currency="USD"
    )
    shop.sell(kind="sale", source="shop", order_id="o1", business_day="2026-03-02", partner=None, currency="USD")
    shop.db.commit()
    warehouse.refresh()
    shop.db.execute("delete from sale where id = %s", [first])
    shop.sell(kind="sale", source="shop", order_id="o1", business_day="2026-03-02", partner=None, currency="USD")
    shop.db.commit()
    warehouse.refresh()
    assert breaks(warehouse) == []


def test_a_line_that_comes_late_steps_in_between(shop: Any, warehouse: Warehouse, breaks: Breaks) -> None:
    for day in ("2026-03-01", "2026-03-05", "2026-03-09", "2026-03-03"):
        shop.sell(kind="sale", customer="c1", business_day=day)
        shop.db.commit()
        warehouse.refresh()
    steps = warehouse.feed.store.sql(
        "select day(business_day), day(previous_day), sum(customers)::int from marts.customer_day"
        " group by all having sum(customers) <> 0 order by all"
    )
    assert steps.fetchall() == [(1, None, 1), (3, 1, 1), (5, 3, 1), (9, 5, 1)]
    assert breaks(warehouse) == []


@pytest.mark.parametrize("seed", range(40 if IS_NIGHT else 3))
def test_cells_kept_change_by_change_are_those_of_all_history(
    shop: Any, warehouse: Warehouse, breaks: Breaks, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders that split and heal, customers whose lines come late, move and go: the marts are right after each step."""
    monkeypatch.setattr("data.marts.LOOSE_MAX", 40)
    monkeypatch.setattr("data.marts.ASK_POSTGRES_MAX", 8)  # both ways to look up an order are taken
    shop.draw.seed(seed)
    warehouse.refresh()
    for _ in range(12):
        for _ in range(shop.draw.randint(1, 4)):
            shop.act()
        shop.db.commit()
        warehouse.refresh()
        assert breaks(warehouse) == []


def test_a_big_change_is_copied_like_a_small_one(shop: Any, warehouse: Warehouse, breaks: Breaks) -> None:
    warehouse.refresh()
    shop.db.execute(
        "insert into sale (source, source_id, order_id, kind, amount_minor, currency, customer_id, at, business_day)"
        " select 'bulk', n::text, 'b' || n / 3, 'sale', n, 'USD', (select min(id) from customer) + n % 6, now(),"
        " date '2026-01-01' + n % 90 from generate_series(1, 30000) as n"
    )
    shop.db.commit()
    assert warehouse.refresh().rows == 30_000
    shop.db.execute("update sale set house_minor = amount_minor")
    shop.db.commit()
    assert warehouse.refresh().rows == 30_000
    assert breaks(warehouse) == []


@pytest.mark.faults
def test_eight_writers_lose_nothing_and_nothing_comes_twice(shop: Any, warehouse: Warehouse, breaks: Breaks) -> None:
    deeds: Counter[str] = Counter()
    stop = threading.Event()
    writers = [threading.Thread(target=write, args=(type(shop)(shop.url, seed), stop, deeds)) for seed in range(2, 10)]
    warehouse.refresh()
    for writer in writers:
        writer.start()
    until = time.monotonic() + (60 if IS_NIGHT else 5)
    steps = 0
    while time.monotonic() < until:
        steps += bool(warehouse.refresh().rows)
        time.sleep(0.02)
    stop.set()
    while any(writer.is_alive() for writer in writers):
        warehouse.refresh()
    assert breaks(warehouse) == []
    assert steps > 10
    assert min(deeds[name] for name in ("committed", "rolled back", "long")) > 3, deeds


def write(shop: Any, stop: threading.Event, deeds: Counter[str]) -> None:
    """One of many writers: short and long transactions, rollbacks, savepoints, changes of the same rows."""
    while not stop.is_set():
        try:
            for _ in range(shop.draw.randint(1, 4)):
                shop.act()
            if shop.draw.random() < 0.06:
                deeds["long"] += 1
                time.sleep(shop.draw.uniform(0.3, 1.5))
                shop.sell()
            if shop.draw.random() < 0.15:
                shop.db.rollback()
                deeds["rolled back"] += 1
            else:
                shop.db.commit()
                deeds["committed"] += 1
        except (psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation):
            shop.db.rollback()
            deeds["refused"] += 1
        time.sleep(shop.draw.uniform(0, 0.02))
    shop.db.close()


FEEDER = """
import os, signal, sys
from pathlib import Path
from data.warehouse import Warehouse

folder, url, point, countdown = sys.argv[1:]
left = int(countdown)

def due():
    global left
    left -= 1
    return left <= 0

class Mortal:
    '''The feed's connection, which dies by kill -9 at the named point of a step that brings rows.'''
    def __init__(self, store): self.store = store
    def __getattr__(self, name): return getattr(self.store, name)
    def execute(self, query, *values):
        if query == point and before and due(): die()
        done = self.store.execute(query, *values)
        if query.startswith(point) and not before and due(): die()
        return done

def die(): os.kill(os.getpid(), signal.SIGKILL)

before, point = point.startswith('before '), point.split(' ', 1)[1]
warehouse = Warehouse.open(Path(folder), url, house_currency='USD', memory='1GB')
warehouse.refresh()
warehouse.feed.store = warehouse.feed.marts.store = Mortal(warehouse.feed.store)
print('feeding', flush=True)
while True: warehouse.refresh()
"""

POINTS = {
    "before the transaction": "before begin",
    "after the rows": "after insert into staging.",
    "between the cells": "after insert into marts.",
    "with the position written": "after insert into feed_state",
    "before the commit": "before commit",
    "after the commit": "after commit",
}


@pytest.mark.faults
def test_a_feed_that_is_killed_anywhere_goes_on_exactly(
    shop: Any, open_warehouse: Callable[..., Warehouse], breaks: Breaks, tmp_path: Path
) -> None:
    deeds: Counter[str] = Counter()
    kills: Counter[str] = Counter()
    stop = threading.Event()
    writers = [threading.Thread(target=write, args=(type(shop)(shop.url, seed), stop, deeds)) for seed in (2, 3, 4)]
    for writer in writers:
        writer.start()
    for round_ in range(9 if IS_NIGHT else 1):
        for name, point in POINTS.items():
            words = [str(tmp_path / "warehouse"), shop.url, point, str(random.Random(round_).randint(1, 6))]
            child = subprocess.run(
                [sys.executable, "-c", FEEDER, *words], check=False, capture_output=True, text=True, timeout=60
            )
            assert child.stdout == "feeding\n", child.stderr
            kills[name] += child.returncode == -signal.SIGKILL
    stop.set()
    for writer in writers:
        writer.join()
    warehouse = open_warehouse()
    assert not warehouse.refresh().reloaded
    assert breaks(warehouse) == []
    assert lines(warehouse) > 0
    assert set(kills) == set(POINTS)
    assert min(kills.values()) >= 1, kills


def test_another_cluster_is_copied_anew(shop: Any, open_warehouse: Callable[..., Warehouse], breaks: Breaks) -> None:
    """After a restore the transaction numbers mean nothing: the position names the cluster that it is of."""
    shop.sell()
    shop.db.commit()
    first = open_warehouse()
    first.refresh()
    first.feed.store.execute("update feed_state set cluster = 'another/1/millrace', snapshot = '900000000:900000000:'")
    first.close()
    second = open_warehouse()
    assert second.feed.position is not None
    assert second.refresh().reloaded
    assert breaks(second) == []


def test_a_postgres_that_restarts_is_found_again(shop: Any, warehouse: Warehouse, breaks: Breaks) -> None:
    warehouse.refresh()
    with psycopg.connect(postgres.libpq_url(shop.url), autocommit=True) as db:
        db.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid not in (pg_backend_pid(), %s)",
            [shop.db.info.backend_pid],
        )
    shop.sell()
    shop.db.commit()
    with pytest.raises(Exception, match=r"."):
        warehouse.refresh()
    assert warehouse.refresh().rows == 1
    assert breaks(warehouse) == []
