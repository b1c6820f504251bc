"""Import: the retail file, or rows like it, through intake, beside bare COPY FROM of the rows that it wrote."""

from __future__ import annotations

import io
import random
import resource
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from bench.report import Measure
from bench.scratch import scratch, tell
from core.intake.load import import_file
from core.intake.options import Options
from core.viewer import SYSTEM
from data import postgres

RETAIL = Path(__file__).resolve().parents[2] / "shared" / "real" / "online_retail" / "online_retail.parquet"
LIKE_IT = 541_909
OPTIONS = Options(
    mapping={"order_id": "InvoiceNo", "at": "InvoiceDate", "quantity": "Quantity", "price": "UnitPrice",
             "product": "StockCode", "customer": "CustomerID", "partner": "Country", "country": "Country"},
    constants={"currency": "GBP", "channel": "web"},
    kinds=("C*=refund", "A*=adjustment", "negative=adjustment"),
    create_partners=True,
)  # fmt: skip


def run() -> tuple[dict[str, Any], list[Measure]]:
    with scratch() as place:
        path = RETAIL if RETAIL.exists() else like_it(place.home / "retail.parquet")
        engine = postgres.connect(place.url)
        tell(f"importing {path.name}")
        began = time.monotonic()
        with engine.begin() as db:
            report = import_file(db, SYSTEM, "sales", path, source="online-retail", options=OPTIONS)
        ours = report.rows_written / (time.monotonic() - began)
        engine.dispose()
        bare, indexed = copied(place.url)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sizes = {"file": path.name, "rows": report.rows_written, "peak memory, MB": memory}
    return sizes, [
        Measure("import", ours, "rows/s", bare, "COPY FROM into a bare table"),
        Measure("import", ours, "rows/s", indexed, "COPY FROM into a table with the same keys and indexes"),
    ]


def copied(url: str) -> tuple[float, float]:
    """The rows that the import wrote, copied back: into a table without anything, and into one like `sale`."""
    with psycopg.connect(url) as db:
        held = io.BytesIO()
        with db.cursor().copy("copy sale to stdout") as out:
            for part in out:
                held.write(part)
        count = db.execute("select count(*) from sale").fetchone()
        speeds = []
        for name, like in (("bare", "sale"), ("indexed", "sale including all")):
            db.execute(f"create table {name} (like {like})")
            db.execute(f"alter table {name} alter id drop identity if exists")
            db.commit()
            tell(f"COPY FROM, {name}")
            began = time.monotonic()
            with db.cursor().copy(f"copy {name} from stdin") as into:
                into.write(held.getvalue())
            db.commit()
            speeds.append((count[0] if count else 0) / (time.monotonic() - began))
    return speeds[0], speeds[1]


def like_it(path: Path) -> Path:
    """Rows in the shape of the retail file, for machines that do not have it."""
    draw = random.Random(1)
    start = datetime(2010, 12, 1, 8, tzinfo=UTC)
    invoices = [f"{'C' if n % 60 == 0 else ''}{536_000 + n // 20}" for n in range(LIKE_IT)]
    pl.DataFrame(
        {
            "InvoiceNo": invoices,
            "StockCode": [f"{20_000 + draw.randrange(4_000)}" for _ in invoices],
            "Quantity": [-1 if i.startswith("C") else draw.randrange(1, 12) for i in invoices],
            "InvoiceDate": [start + timedelta(seconds=60 * n) for n in range(LIKE_IT)],
            "UnitPrice": [draw.randrange(100, 9_999) / 1000 for _ in invoices],
            "CustomerID": [str(12_000 + draw.randrange(4_300)) if draw.random() > 0.25 else None for _ in invoices],
            "Country": [draw.choice(["United Kingdom"] * 9 + ["France", "Germany", "EIRE"]) for _ in invoices],
        }
    ).write_parquet(path)
    return path
