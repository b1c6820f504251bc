"""A place to measure in: a Postgres and a warehouse under a temporary folder, gone afterwards. Never the user's own."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from data import migrate, postgres, server
from data.warehouse import Warehouse

SETTINGS = {"shared_buffers": "2GB", "max_wal_size": "8GB", "effective_cache_size": "8GB", "work_mem": "256MB"}
"""What somebody would set who runs Postgres for analytics: the reference gets a fair chance."""
SHARED_LEAST = 4 << 30


@dataclass
class Scratch:
    """A migrated, empty database and where its files lie."""

    home: Path
    url: str

    @contextmanager
    def warehouse(self, name: str = "warehouse") -> Iterator[Warehouse]:
        opened = Warehouse.open(self.home / name, self.url, house_currency="USD")
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def scratch() -> Iterator[Scratch]:
    home = Path(tempfile.mkdtemp(prefix="millrace-bench-"))
    home.chmod(0o755)  # Postgres may run as another account
    running = server.start(home)
    try:
        with psycopg.connect(running.url("postgres"), autocommit=True) as db:
            for name, value in SETTINGS.items():
                db.execute(f"alter system set {name} = '{value}'")
        running.close()
        time.sleep(2)  # its keeper stops it when nobody is left
        running = server.start(home)
        url = running.url()
        engine = postgres.connect(url)
        migrate.to(engine)
        engine.dispose()
        yield Scratch(home, postgres.libpq_url(url))
    finally:
        running.close()
        time.sleep(2)
        shutil.rmtree(home, ignore_errors=True)


def tell(words: str) -> None:
    """Progress, apart from the figures."""
    print(f"  … {words}", file=sys.stderr, flush=True)
