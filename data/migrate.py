"""Bring the record's tables to this version. Each migration is one transaction: a kill leaves it done or not begun."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from data.postgres import migrations
from data.tables import metadata

ONE_AT_A_TIME = 7_316_402_118  # an advisory lock: replicas that start together migrate once


def to(engine: Engine, revision: str = "head") -> None:
    """Upgrade to `revision`, or downgrade when it is behind (`base` empties the database)."""
    with engine.connect() as db:
        db.execute(text("select pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        db.commit()
        config = alembic_config()
        config.attributes["connection"] = db
        try:
            if revision in ("head", "heads") or _is_ahead(db, revision):
                command.upgrade(config, revision)
            else:
                command.downgrade(config, revision)
            db.commit()
        finally:
            db.rollback()
            db.execute(text("select pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})
            db.commit()


def _is_ahead(db: object, revision: str) -> bool:
    now = MigrationContext.configure(db).get_current_revision()  # type: ignore[arg-type]
    order = [s.revision for s in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]
    return revision in order and (now is None or order.index(revision) > order.index(now))


def is_current(engine: Engine) -> bool:
    with engine.connect() as db:
        now = MigrationContext.configure(db).get_current_revision()
    return now == ScriptDirectory.from_config(alembic_config()).get_current_head()


def drift(engine: Engine) -> list[object]:
    """Where the database and data/tables.py differ (Alembic does not see CHECKs and triggers)."""
    with engine.connect() as db:
        ours = {"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables}
        return list(compare_metadata(MigrationContext.configure(db, opts=ours), metadata))


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations()))
    config.set_main_option("path_separator", "os")
    return config
