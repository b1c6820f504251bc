"""What tests share: one Postgres for the run, migrated once into a template; copies and transactions of it.

`db` is a transaction that is rolled back. `database` is a fresh copy, for tests that commit, race or kill; `house` is
one with a warehouse. With DATABASE_URL set, that server is used instead of one of our own.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

from core import runtime, settings
from core.intake.load import load_frame
from core.runtime import House
from core.viewer import SYSTEM, Viewer
from data import migrate, postgres, server
from data.warehouse import Warehouse

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Where the real data lies, beside the checkout; tests that need it skip where it is missing."""


@dataclass(frozen=True)
class Database:
    """A database of this test's own: its engine is the one that `transaction()` opens."""

    url: str
    engine: Engine


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on which databases may be made."""
    if given := os.environ.get("DATABASE_URL"):
        yield postgres.libpq_url(given)
        return
    running = server.start(tmp_path_factory.mktemp("home"), durable=False)
    yield running.url("postgres")
    running.close()


@pytest.fixture(scope="session")
def template(postgres_url: str) -> Iterator[str]:
    """The name of a migrated, empty database that others are copied from."""
    name = f"millrace_template_{uuid.uuid4().hex[:8]}"
    _admin(postgres_url, f'create database "{name}"')
    engine = postgres.connect(_named(postgres_url, name))
    migrate.to(engine)
    engine.dispose()
    yield name
    _admin(postgres_url, f'drop database if exists "{name}" with (force)')


OpenDatabase = Callable[[], AbstractContextManager[Database]]
OpenHouse = Callable[[Path], AbstractContextManager[House]]


@pytest.fixture(scope="session")
def open_database(postgres_url: str, template: str) -> OpenDatabase:
    """Opens a fresh copy of the template for whom one a test is too many; dropped on leaving."""

    @contextmanager
    def opened() -> Iterator[Database]:
        name = f"millrace_test_{uuid.uuid4().hex[:12]}"
        _admin(postgres_url, f'create database "{name}" template "{template}" strategy file_copy')
        url = _named(postgres_url, name)
        engine = postgres.connect(url)
        postgres.use(engine)
        yield Database(url, engine)
        postgres.use(None)
        engine.dispose()
        _admin(postgres_url, f'drop database if exists "{name}" with (force)')

    return opened


@pytest.fixture
def database(open_database: OpenDatabase) -> Iterator[Database]:
    """A fresh copy of the template; dropped after the test."""
    with open_database() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def open_house(open_database: OpenDatabase) -> OpenHouse:
    """Opens a house over a database of its own. Its warehouse copies when told: `house.warehouse.refresh()`."""

    @contextmanager
    def opened(home: Path) -> Iterator[House]:
        ours = settings.read({"MILLRACE_HOME": str(home)})
        with open_database() as database:
            url = postgres.libpq_url(database.url)
            folder = home / "warehouse"
            warehouse = Warehouse.open(folder, url, house_currency=ours.currency, memory="1GB", threads=1)
            runtime._house = House(
                settings=ours, database_url=url, engine=database.engine, warehouse=warehouse, caution="", _server=None
            )
            yield runtime._house
            warehouse.close()
            runtime._house = None

    return opened


@pytest.fixture
def house(open_house: OpenHouse, tmp_path: Path) -> Iterator[House]:
    """An open house over an empty database of this test's own."""
    with open_house(tmp_path / "house") as opened:
        yield opened


@pytest.fixture(scope="session")
def session_engine(postgres_url: str, template: str) -> Iterator[Engine]:
    name = f"millrace_session_{uuid.uuid4().hex[:8]}"
    _admin(postgres_url, f'create database "{name}" template "{template}" strategy file_copy')
    engine = postgres.connect(_named(postgres_url, name))
    yield engine
    engine.dispose()
    _admin(postgres_url, f'drop database if exists "{name}" with (force)')


@pytest.fixture
def db(session_engine: Engine) -> Iterator[Connection]:
    """A transaction that is rolled back after the test."""
    with session_engine.connect() as connection:
        outer = connection.begin()
        yield connection
        outer.rollback()


@pytest.fixture
def admin() -> Viewer:
    return Viewer(uuid.uuid4(), "Ada Admin", "admin@example.com", frozenset({"admin"}), origin="test")


@pytest.fixture(scope="session")
def sell() -> Callable[..., None]:
    """`sell(house, rows, kind="sales")`: takes rows in as any import does, and lets the warehouse copy them."""

    def take_in(house: House, rows: list[dict[str, Any]], kind: str = "sales", source: str = "shop") -> None:
        with runtime.transaction() as db:
            load_frame(db, SYSTEM, kind, pl.DataFrame(rows, infer_schema_length=None), source=source)
        house.warehouse.refresh()

    return take_in


@pytest.fixture
def kills() -> int:
    """How often a test of faults kills: a few times with every change, often at night (`make faults`)."""
    return 40 if os.environ.get("MILLRACE_FAULTS") == "nightly" else 3


@pytest.fixture
def shared() -> Path:
    if not (SHARED / "real").exists():
        pytest.skip("the real data files are not beside this checkout")
    return SHARED


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _admin(url: str, statement: str) -> None:
    engine = create_engine(postgres.sqlalchemy_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
