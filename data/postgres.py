"""The record: connections to Postgres, and the one way to write, a transaction that the door opens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

VERSION_MIN = {15: 20, 16: 16, 17: 12, 18: 7}
"""Minor releases below which ON CONFLICT could read past row-level security (CVE-2026-120154)."""


def connect(url: str) -> Engine:
    """An engine for `url`; a plain postgresql:// address is spoken to with psycopg 3."""
    return create_engine(sqlalchemy_url(url), pool_size=8, max_overflow=16, pool_pre_ping=True)


def sqlalchemy_url(url: str) -> str:
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def libpq_url(url: str) -> str:
    """The same address for libpq (psycopg, ADBC, pg_dump)."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def server_version(db: Connection) -> tuple[int, int]:
    number = int(db.execute(text("show server_version_num")).scalar_one())
    return divmod(number, 10000)


def outdated(version: tuple[int, int]) -> bool:
    """Whether row-level security of this server can be read past."""
    major, minor = version
    return major < min(VERSION_MIN) or minor < VERSION_MIN.get(major, 0)


_engine: Engine | None = None
_guard = threading.Lock()


def use(engine: Engine | None) -> None:
    """Make `engine` the one that `transaction()` opens; core.runtime calls it once, tests per database."""
    global _engine
    with _guard:
        _engine = engine


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction: committed when the block ends, rolled back when it raises. Pages, routes and jobs open it."""
    if _engine is None:
        raise RuntimeError("no database yet: core.runtime.open_house() comes first")
    with _engine.begin() as db:
        yield db


def migrations() -> Path:
    return Path(__file__).with_name("migrations")
