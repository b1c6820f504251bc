"""The history of imports, and what was chosen last time for files of a source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from data.tables import import_file, import_mapping, person


def begin(
    db: Connection,
    *,
    kind: str,
    source: str,
    file_name: str,
    options: Mapping[str, Any],
    person_id: UUID | None,
) -> int:
    row = {"kind": kind, "source": source, "file_name": file_name, "sha256": "", "person_id": person_id}
    started = insert(import_file).values(**row, options=options).returning(import_file.c.id)
    return int(db.execute(started).scalar_one())


def finish(
    db: Connection, import_id: int, *, state: str, message: str, counts: Mapping[str, int], sha256: str = ""
) -> None:
    """What became of it; `sha256` names the content of a file that was taken in."""
    done = update(import_file).where(import_file.c.id == import_id)
    db.execute(done.values(state=state, message=message, sha256=sha256, finished_at=func.clock_timestamp(), **counts))


def history(db: Connection, *, limit: int) -> list[dict[str, Any]]:
    """The newest imports first, with who did them."""
    query = (
        select(import_file, person.c.name.label("person"))
        .outerjoin(person, person.c.id == import_file.c.person_id)
        .order_by(import_file.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in db.execute(query).mappings()]


def remembered(db: Connection, kind: str, source: str) -> Mapping[str, Any] | None:
    """What was chosen for the last import of this kind from this source."""
    chosen = select(import_mapping.c.options).where(import_mapping.c.kind == kind, import_mapping.c.source == source)
    return db.execute(chosen).scalar_one_or_none()


def remember(db: Connection, kind: str, source: str, options: Mapping[str, Any]) -> None:
    row = insert_or(import_mapping).values(kind=kind, source=source, options=options)
    changed = {"options": row.excluded.options, "saved_at": func.now()}
    db.execute(row.on_conflict_do_update(index_elements=["kind", "source"], set_=changed))


def sources(db: Connection) -> list[str]:
    """The sources that files came from, in the order of the alphabet."""
    found = select(import_file.c.source).distinct().order_by(import_file.c.source)
    return list(db.execute(found).scalars())
