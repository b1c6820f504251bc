"""One process of Millrace: its settings, its Postgres and its warehouse, opened once and shared."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Engine

from core.errors import Refusal
from core.settings import Settings
from data import migrate, postgres, server
from data.postgres import transaction
from data.warehouse import Warehouse

__all__ = ["House", "NoDatabase", "close_house", "house", "open_house", "refuse_outdated", "transaction"]
"""Doors open `transaction` through here: pages and routes do not know the stores."""

log = logging.getLogger("millrace")


class NoDatabase(Refusal):
    """Postgres cannot be reached, or is not one that money may be trusted to."""

    code = "no_database"
    status = 503


@dataclass
class House:
    """What a process holds open. `close()` gives it back; a killed process gives it back as well."""

    settings: Settings
    database_url: str
    engine: Engine
    warehouse: Warehouse
    caution: str  # what whoever runs the house should know of its Postgres
    _server: server.Server | None

    def close(self) -> None:
        self.warehouse.close()
        postgres.use(None)
        self.engine.dispose()
        if self._server:
            self._server.close()


_house: House | None = None


def open_house(settings: Settings) -> House:
    """Start or reach Postgres, migrate it, and open this process's warehouse (not yet fed). Once per process."""
    global _house
    if _house is not None:
        return _house
    settings.home.mkdir(parents=True, exist_ok=True)
    try:
        local = None if settings.database_url else server.start(settings.home)
        url = settings.database_url or local.url()  # type: ignore[union-attr]
        engine = postgres.connect(url)
        caution = refuse_outdated(engine, ours=local is not None)
        migrate.to(engine)
    except server.NoServer as error:
        raise NoDatabase(str(error)) from error
    postgres.use(engine)
    warehouse = Warehouse.open(settings.home / "warehouse", postgres.libpq_url(url), house_currency=settings.currency)
    _house = House(settings, postgres.libpq_url(url), engine, warehouse, caution, local)
    return _house


def house() -> House:
    """The open house of this process."""
    if _house is None:
        raise RuntimeError("open_house() comes first")
    return _house


def close_house() -> None:
    global _house
    if _house is not None:
        _house.close()
        _house = None


def refuse_outdated(engine: Engine, *, ours: bool) -> str:
    """A shared server that can be read past row-level security is refused; of the embedded one a caution is told."""
    try:
        with engine.connect() as db:
            version = postgres.server_version(db)
    except Exception as error:
        raise NoDatabase(
            f"Postgres does not answer: {str(error).splitlines()[0][:200]} — check DATABASE_URL."
        ) from error
    if not postgres.outdated(version):
        return ""
    sentence = f"Postgres {version[0]}.{version[1]} lets queries read past row-level security (CVE-2026-120154)"
    if not ours:
        raise NoDatabase(f"{sentence}; upgrade it to 15.20, 16.16, 17.12, 18.7 or newer.")
    return f"{sentence}; it serves this machine only. Use a newer server where others connect."
