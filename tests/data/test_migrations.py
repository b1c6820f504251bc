"""Migrations go up, down and up, leave nothing behind, survive kills and company, and agree with data/tables.py."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url

from data import migrate, postgres
from data.tables import FED, metadata

ROOT = Path(__file__).resolve().parents[2]

OBJECTS = """
select 'relation ' || relname from pg_class where relnamespace = 'public'::regnamespace and relname not like 'alembic%'
union all
select 'function ' || p.oid::regprocedure from pg_proc p
where pronamespace = 'public'::regnamespace
    and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
union all
select 'type ' || t.oid::regtype from pg_type t
where typnamespace = 'public'::regnamespace and typname not like '%alembic%'
    and not exists (select 1 from pg_depend d where d.objid = t.oid and d.deptype = 'e')
order by 1
"""
"""Everything of ours in the database; extensions are shared and stay."""


@pytest.fixture
def empty(postgres_url: str) -> Iterator[Engine]:
    """An engine for a database with nothing in it."""
    name = f"millrace_empty_{uuid.uuid4().hex[:10]}"
    admin = create_engine(postgres.sqlalchemy_url(postgres_url), isolation_level="AUTOCOMMIT")
    with admin.connect() as db:
        db.execute(text(f'create database "{name}"'))
    engine = postgres.connect(make_url(postgres_url).set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with admin.connect() as db:
        db.execute(text(f'drop database "{name}" with (force)'))
    admin.dispose()


def ours(engine: Engine) -> list[str]:
    with engine.connect() as db:
        return list(db.execute(text(OBJECTS)).scalars())


def test_up_down_and_up_leaves_nothing_behind_and_ends_where_it_was(empty: Engine) -> None:
    migrate.to(empty)
    up = ours(empty)
    assert migrate.is_current(empty)
    migrate.to(empty, "base")
    assert ours(empty) == []
    migrate.to(empty)
    assert ours(empty) == up


def test_each_migration_can_be_undone_by_itself(empty: Engine) -> None:
    migrate.to(empty, "0001")
    first = ours(empty)
    migrate.to(empty)
    migrate.to(empty, "0001")
    assert ours(empty) == first


def test_the_database_is_what_the_tables_say(empty: Engine) -> None:
    migrate.to(empty)
    assert migrate.drift(empty) == []


def test_migrating_what_is_current_changes_nothing(empty: Engine) -> None:
    migrate.to(empty)
    before = ours(empty)
    migrate.to(empty)
    assert ours(empty) == before


def test_every_check_in_the_database_is_the_one_in_the_tables(empty: Engine) -> None:
    """Alembic does not see CHECKs: Postgres is asked to say both in its own words."""
    migrate.to(empty)
    with empty.begin() as db:
        stands = _checks(db, "public")
        db.execute(text("create schema said; set local search_path = said, public"))
        metadata.create_all(db, checkfirst=False)
        said = _checks(db, "said")
        db.rollback()
    assert said == stands
    named = {str(check.name) for table in metadata.tables.values() for check in _named(table.constraints)}
    assert named <= {name for _, name in stands}


def _named(constraints: set[object]) -> list[CheckConstraint]:
    return [each for each in constraints if isinstance(each, CheckConstraint) and isinstance(each.name, str)]


def _checks(db: Connection, schema: str) -> dict[tuple[str, str], str]:
    rows = db.execute(
        text(
            "select c.relname, k.conname, pg_get_constraintdef(k.oid) from pg_constraint k"
            " join pg_class c on c.oid = k.conrelid"
            " where k.contype = 'c' and c.relnamespace = cast(:schema as regnamespace)"
            " and c.relname not like 'procrastinate%'"
        ),
        {"schema": schema},
    )
    return {(table, name): re.sub(r"\s+", " ", definition) for table, name, definition in rows}


@pytest.mark.parametrize("table", [table.name for table in FED if table.name != "tombstone"])
def test_a_fed_table_renews_its_xid_leaves_tombstones_and_is_not_truncated(empty_migrated: Engine, table: str) -> None:
    with empty_migrated.connect() as db:
        triggers = set(
            db.execute(
                text("select tgname from pg_trigger where tgrelid = cast(:table as regclass) and not tgisinternal"),
                {"table": table},
            ).scalars()
        )
        indexes = db.execute(
            text("select indexdef from pg_indexes where tablename = :table"), {"table": table}
        ).scalars()
        assert {"renew_xid", "leave_tombstone", "no_truncate"} <= triggers
        assert any(definition.endswith("btree (xid)") for definition in indexes)


@pytest.fixture(scope="module")
def empty_migrated(postgres_url: str, template: str) -> Iterator[Engine]:
    engine = postgres.connect(make_url(postgres_url).set(database=template).render_as_string(hide_password=False))
    yield engine
    engine.dispose()


KILLED = """
import os, signal, sys
from sqlalchemy import event
from data import migrate, postgres

engine, left = postgres.connect(sys.argv[1]), [int(sys.argv[2])]

@event.listens_for(engine, "after_cursor_execute")
def count(*_):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

migrate.to(engine)
"""


@pytest.mark.faults
def test_a_migration_killed_anywhere_goes_on_at_the_next_start(empty: Engine, kills: int) -> None:
    statements = _statements(empty)
    migrate.to(empty, "base")
    for nth in range(1, statements, max(1, statements // (3 * kills))):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, empty.url.render_as_string(hide_password=False), str(nth)],
            check=False,
            cwd=ROOT,
        )
        assert killed.returncode == -signal.SIGKILL
        with empty.connect() as db:
            assert not migrate.is_current(empty)
            assert db.execute(text("select 1")).scalar_one() == 1
    migrate.to(empty)
    assert migrate.drift(empty) == []
    assert migrate.is_current(empty)


def _statements(engine: Engine) -> int:
    """How many statements a migration from nothing takes."""
    seen: list[object] = []

    def count(*_: object) -> None:
        seen.append(None)

    event.listen(engine, "after_cursor_execute", count)
    migrate.to(engine)
    event.remove(engine, "after_cursor_execute", count)
    return len(seen)


@pytest.mark.faults
def test_processes_that_start_together_migrate_once(empty: Engine) -> None:
    url = empty.url.render_as_string(hide_password=False)
    program = "import sys; from data import migrate, postgres; migrate.to(postgres.connect(sys.argv[1]))"
    started = [subprocess.Popen([sys.executable, "-c", program, url], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert migrate.drift(empty) == []
    assert migrate.is_current(empty)
