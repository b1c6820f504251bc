"""The audit trail as rows: written once, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from data.tables import audit


def add(
    db: Connection,
    *,
    person_id: UUID | None,
    actor: str,
    act: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    origin: str,
) -> None:
    row = {"person_id": person_id, "actor": actor, "act": act, "subject": subject, "origin": origin}
    db.execute(insert(audit).values(**row, before=before, after=after))


def latest(db: Connection, *, limit: int, act: str = "", subject: str = "") -> Sequence[Mapping[str, Any]]:
    """The newest entries first; `act` and `subject` narrow by their beginnings."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if act:
        query = query.where(audit.c.act.startswith(act, autoescape=True))
    if subject:
        query = query.where(audit.c.subject.startswith(subject, autoescape=True))
    return [dict(row) for row in db.execute(query).mappings()]
