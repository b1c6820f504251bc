"""Ask: dashboard questions with four readers while the feed appends, and ad-hoc questions beside Postgres."""

from __future__ import annotations

import random
import resource
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

import psycopg

from bench import rows
from bench.live import writing
from bench.report import Measure, percentile
from bench.scratch import Scratch, scratch, tell
from data import metrics
from data.metrics import Request
from data.warehouse import EVERYBODY, Scope, Warehouse

READERS = 4
ASKED_S = 40
AIM_MS = 50
SLOW_MS = 20_000
INDEXES = (
    "create index on sale (business_day) include (kind, country, product, customer_id, partner_id, amount_minor)",
    "create index on sale (country, business_day) include (kind, product, amount_minor)",
    "create index on sale (customer_id, business_day) include (kind, partner_id)",
    "create index on sale (category, region) include (kind, amount_minor)",
)


def run(size: int) -> tuple[dict[str, Any], list[Measure]]:
    questions = tomllib.loads((Path(__file__).with_name("questions.toml")).read_text(encoding="utf-8"))
    with scratch() as place:
        tell(f"{size:,} sales straight into Postgres")
        rows.fill(place.url, size, tell=tell)
        with place.warehouse() as warehouse:
            tell("the first load")
            began = time.monotonic()
            warehouse.refresh()
            sizes = {"sales": size, "readers": READERS, "first load with marts, s": round(time.monotonic() - began, 1)}
            measures = dashboards(place, warehouse, questions["dashboard"])
            measures += adhoc(place, warehouse, questions["adhoc"])
            sizes["warehouse file, MB"] = sum(f.stat().st_size for f in place.home.glob("warehouse/*.duckdb")) >> 20
            sizes["peak memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return sizes, measures


def dashboards(place: Scratch, warehouse: Warehouse, questions: list[dict[str, Any]]) -> list[Measure]:
    """Each question with new values every time, so that no remembered answer is measured."""
    tell(f"{len(questions)} dashboard questions, {READERS} readers, while 1,000 rows a second are fed, {ASKED_S} s")
    partners = [row[0] for row in psycopg.connect(place.url).execute("select id from partner").fetchall()]
    took: dict[str, list[float]] = {question["name"]: [] for question in questions}
    stop = threading.Event()

    def read(seed: int) -> None:
        draw = random.Random(seed)
        while not stop.is_set():
            question = draw.choice(questions)
            scope = Scope(frozenset({draw.choice(partners)})) if question.get("as_partner") else EVERYBODY
            began = time.perf_counter()
            answer(warehouse, question, scope)
            took[question["name"]].append((time.perf_counter() - began) * 1000)

    with writing(place.url), feeding(warehouse):
        time.sleep(1)
        readers = [threading.Thread(target=read, args=(seed,)) for seed in range(READERS)]
        for reader in readers:
            reader.start()
        spent = time.process_time()
        time.sleep(ASKED_S)
        stop.set()
        spent = time.process_time() - spent
        for reader in readers:
            reader.join()
    every = [value for values in took.values() for value in values]
    measures = [
        Measure("dashboards, all twelve: p50", percentile(every, 0.5), "ms"),
        Measure("dashboards, all twelve: p99", percentile(every, 0.99), "ms", AIM_MS, "the aim", f"< {AIM_MS} ms"),
        Measure("dashboards: questions a second", len(every) / ASKED_S, "1/s"),
        Measure("dashboards: processor time a question, the feed's included", spent * 1000 / len(every), "ms"),
    ]
    for name, values in took.items():
        measures.append(Measure(f"  {name}: p50", percentile(values, 0.5), "ms"))
        measures.append(Measure(f"  {name}: p99", percentile(values, 0.99), "ms", AIM_MS, "the aim"))
    return measures


def answer(warehouse: Warehouse, question: dict[str, Any], scope: Scope) -> int:
    """Composed and run as `Warehouse.ask` does, past its memory of answers."""
    day = {name: date.fromisoformat(question[name]) for name in ("since", "until") if name in question}
    before = tuple(date.fromisoformat(text) for text in question.get("before", ()))
    request = Request(
        question["metric"], by=tuple(question.get("by", ())), currency=question.get("currency"),
        before=before or None, **day,  # type: ignore[arg-type]
    )  # fmt: skip
    sql, values = metrics.compose(metrics.catalogue()[request.metric], request, "USD")
    return warehouse.run(metrics.spoken_by(sql, "duckdb"), values, scope).height


@contextmanager
def feeding(warehouse: Warehouse) -> Iterator[None]:
    """The product's own feeder thread."""
    warehouse.start()
    yield
    warehouse._stop.set()
    if warehouse._thread is not None:
        warehouse._thread.join()


def adhoc(place: Scratch, warehouse: Warehouse, questions: list[dict[str, Any]]) -> list[Measure]:
    """Raw facts: DuckDB beside Postgres with an index made for each question, both warm, medians of three."""
    tell("indexes for the reference")
    with psycopg.connect(place.url, autocommit=True) as db:
        db.execute("set maintenance_work_mem = '1GB'")
        for index in INDEXES:
            db.execute(index)
        db.execute("vacuum analyze sale")
        measures = []
        for question in questions:
            tell(question["name"])
            ours, mine = timed(lambda q=question: warehouse.run(q["duckdb"], {}, EVERYBODY).rows())
            theirs, same = timed(lambda q=question: db.execute(q["postgres"]).fetchall())
            if len(mine) != len(same):
                raise RuntimeError(f"{question['name']}: {len(mine)} rows and {len(same)} rows")
            measures.append(Measure(f"  {question['name']}", ours, "ms", theirs, "Postgres, indexed for it"))
    times = geometric_mean([m.reference / m.ours for m in measures if m.reference])
    return [*measures, Measure("ad-hoc, how many times faster (geometric mean)", times, "×", 1, "Postgres", "10 ×")]


def timed(ask: Any) -> tuple[float, list[Any]]:
    """Median of three, after one that warms up; what takes long is asked once: it has read everything anyhow."""
    began = time.perf_counter()
    answered = ask()
    took = [(time.perf_counter() - began) * 1000]
    if took[0] > SLOW_MS:
        return took[0], answered
    took.clear()
    for _ in range(3):
        began = time.perf_counter()
        answered = ask()
        took.append((time.perf_counter() - began) * 1000)
    return median(took), answered
