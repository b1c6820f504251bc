"""The append-only record of every act: who, what, to what, before and after, from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from core.viewer import SYSTEM, Viewer, require
from data.store import audit as store


def record(
    db: Connection,
    viewer: Viewer,
    act: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one act in the transaction that does it. `act` is noun.verb; `subject` is noun:id, such as `partner:17`.

    `before` and `after` hold the fields that changed; no secret ever goes in.
    """
    store.add(
        db,
        person_id=None if viewer.person_id == SYSTEM.person_id else viewer.person_id,
        actor=viewer.email or viewer.name,
        act=act,
        subject=subject,
        before=plain(before),
        after=plain(after),
        origin=viewer.origin,
    )


def latest(
    db: Connection, viewer: Viewer, *, limit: int = 200, act: str = "", subject: str = ""
) -> Sequence[Mapping[str, Any]]:
    require(viewer, "admin")
    return store.latest(db, limit=limit, act=act, subject=subject)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields in which two rows differ, as they were and as they are."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def plain(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: _json(value) for name, value in row.items()}


def _json(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (UUID, Decimal)):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value
