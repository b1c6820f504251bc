"""Sign-ins as rows: sessions, authorization codes, and the attempts that did not succeed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import BigInteger

from data.tables import person, person_partner, session, signin_attempt, signin_code


def with_person(db: Connection, token_key: str) -> Mapping[str, Any] | None:
    """A session with its person and the partners whose rows they may see, in one statement: asked on every rerun."""
    theirs = (
        select(func.array_agg(person_partner.c.partner_id))
        .where(person_partner.c.person_id == person.c.id)
        .scalar_subquery()
    )
    query = (
        select(
            session,
            person.c.name,
            person.c.email,
            person.c.roles,
            person.c.status,
            func.coalesce(theirs, literal([], ARRAY(BigInteger))).label("partner_ids"),
        )
        .join(person, person.c.id == session.c.person_id)
        .where(session.c.token_key == token_key)
    )
    row = db.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def begin(db: Connection, row: Mapping[str, Any]) -> bool:
    """Whether the session is new; another tab may have begun it a moment ago."""
    return db.execute(upsert(session).values(**row).on_conflict_do_nothing(index_elements=["token_key"])).rowcount == 1


def seen(db: Connection, session_id: UUID, at: datetime) -> None:
    db.execute(update(session).where(session.c.id == session_id).values(seen_at=at))


def of_person(db: Connection, person_id: UUID, since: datetime) -> Sequence[Mapping[str, Any]]:
    """The sessions of a person that nobody ended and that were seen since then, the latest first."""
    live = session.c.person_id == person_id, session.c.revoked_at.is_(None), session.c.seen_at >= since
    return [dict(row) for row in db.execute(select(session).where(*live).order_by(session.c.seen_at.desc())).mappings()]


def revoke(db: Connection, session_id: UUID, at: datetime) -> int:
    return _revoke(db, at, session.c.id == session_id)


def revoke_token(db: Connection, token_key: str, at: datetime) -> int:
    return _revoke(db, at, session.c.token_key == token_key)


def revoke_all(db: Connection, person_id: UUID, at: datetime, *, but: UUID | None = None) -> int:
    """End every session of a person, but the one named; says how many that were."""
    theirs = [session.c.person_id == person_id]
    if but is not None:
        theirs.append(session.c.id != but)
    return _revoke(db, at, *theirs)


def _revoke(db: Connection, at: datetime, *which: Any) -> int:
    return db.execute(update(session).where(*which, session.c.revoked_at.is_(None)).values(revoked_at=at)).rowcount


# ── authorization codes ────────────────────────────────────────────────────────────────────────────────────────────


def add_code(
    db: Connection, code_hash: str, person_id: UUID, *, request: Mapping[str, Any], expires_at: datetime, at: datetime
) -> None:
    db.execute(delete(signin_code).where(signin_code.c.expires_at < at))
    row = {"code_hash": code_hash, "person_id": person_id, "request": dict(request), "expires_at": expires_at}
    db.execute(insert(signin_code).values(**row))


def take_code(db: Connection, code_hash: str) -> Mapping[str, Any] | None:
    """The code's request, once: whoever takes it first removes it."""
    taken = delete(signin_code).where(signin_code.c.code_hash == code_hash)
    row = db.execute(taken.returning(signin_code.c.person_id, signin_code.c.request, signin_code.c.expires_at))
    found = row.mappings().one_or_none()
    return None if found is None else dict(found)


# ── attempts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def lock_attempts(db: Connection, key: str) -> Mapping[str, Any]:
    """The attempts counted under this key; a second attempt at the same moment waits for the first."""
    db.execute(upsert(signin_attempt).values(key=key).on_conflict_do_nothing())
    row = select(signin_attempt).where(signin_attempt.c.key == key).with_for_update()
    return dict(db.execute(row).mappings().one())


def save_attempts(db: Connection, key: str, *, count: int, last_at: datetime, locked_until: datetime | None) -> None:
    values = {"count": count, "last_at": last_at, "locked_until": locked_until}
    db.execute(update(signin_attempt).where(signin_attempt.c.key == key).values(**values))


def forget_attempts(db: Connection, key: str) -> None:
    db.execute(delete(signin_attempt).where(signin_attempt.c.key == key))


def forget_old_attempts(db: Connection, at: datetime) -> None:
    db.execute(delete(signin_attempt).where(signin_attempt.c.last_at < at - timedelta(days=1)))
