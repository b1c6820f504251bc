"""People, whose rows they may see, who they are elsewhere, the links that let them in, and the house's secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, any_, delete, exists, func, insert, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.types import BigInteger

from data.tables import house_secret, identity, partner, person, person_partner, session, setup_token

FIRST_ADMIN = 7_316_402_119  # an advisory lock: two people who open the first admin's link become one admin


def add(db: Connection, row: Mapping[str, Any]) -> UUID:
    person_id: UUID = db.execute(insert(person).values(**row).returning(person.c.id)).scalar_one()
    return person_id


def get(db: Connection, person_id: UUID) -> Mapping[str, Any] | None:
    return _one(db, _people().where(person.c.id == person_id))


def by_email(db: Connection, email: str) -> Mapping[str, Any] | None:
    return _one(db, _people().where(person.c.email == email))


def by_identity(db: Connection, issuer: str, subject: str) -> Mapping[str, Any] | None:
    known = select(identity.c.person_id).where(identity.c.issuer == issuer, identity.c.subject == subject)
    return _one(db, _people().where(person.c.id == known.scalar_subquery()))


def lock(db: Connection, person_id: UUID) -> Mapping[str, Any] | None:
    """The person, whom nobody else can change until this transaction ends."""
    db.execute(select(person.c.id).where(person.c.id == person_id).with_for_update())
    return get(db, person_id)


def lock_active_admins(db: Connection) -> frozenset[UUID]:
    """Every active admin; two who would take each other's role away wait here for one another."""
    admins = select(person.c.id).where(literal("admin") == any_(person.c.roles), person.c.status == "active")
    return frozenset(db.execute(admins.order_by(person.c.id).with_for_update()).scalars())


def everybody(db: Connection) -> Sequence[Mapping[str, Any]]:
    seen = select(func.max(session.c.seen_at)).where(session.c.person_id == person.c.id).scalar_subquery()
    query = _people().add_columns(seen.label("seen_at")).order_by(func.lower(person.c.name), person.c.email)
    return [dict(row) for row in db.execute(query).mappings()]


def anybody(db: Connection, *statuses: str) -> bool:
    return bool(db.execute(select(exists(select(person.c.id).where(person.c.status.in_(statuses))))).scalar_one())


def change(db: Connection, person_id: UUID, values: Mapping[str, Any]) -> int:
    return db.execute(update(person).where(person.c.id == person_id).values(**values)).rowcount


def use_step(db: Connection, person_id: UUID, step: int) -> bool:
    """Whether this 30-second step of the second factor was still unused; from now on it is used."""
    unused = or_(person.c.totp_step.is_(None), person.c.totp_step < step)
    return db.execute(update(person).where(person.c.id == person_id, unused).values(totp_step=step)).rowcount == 1


def set_partners(db: Connection, person_id: UUID, partner_ids: Iterable[int]) -> None:
    db.execute(delete(person_partner).where(person_partner.c.person_id == person_id))
    if rows := [{"person_id": person_id, "partner_id": partner_id} for partner_id in sorted(partner_ids)]:
        db.execute(insert(person_partner), rows)


def partners(db: Connection) -> Sequence[Mapping[str, Any]]:
    query = select(partner.c.id, partner.c.code, partner.c.name).order_by(func.lower(partner.c.name), partner.c.id)
    return [dict(row) for row in db.execute(query).mappings()]


def _people() -> Select[Any]:
    """A person with the partners whose rows they may see; secrets stay behind, except that they exist."""
    theirs = (
        select(func.array_agg(aggregate_order_by(person_partner.c.partner_id, person_partner.c.partner_id)))
        .where(person_partner.c.person_id == person.c.id)
        .scalar_subquery()
    )
    return select(
        person.c.id,
        person.c.email,
        person.c.name,
        person.c.roles,
        person.c.status,
        person.c.created_at,
        person.c.password_hash.is_not(None).label("has_password"),
        person.c.totp_sealed.is_not(None).label("has_second_factor"),
        exists(select(identity.c.person_id).where(identity.c.person_id == person.c.id)).label("has_identity"),
        func.coalesce(theirs, literal([], ARRAY(BigInteger))).label("partner_ids"),
    )


# ── secrets of a person ────────────────────────────────────────────────────────────────────────────────────────────


def secrets(db: Connection, person_id: UUID) -> Mapping[str, Any] | None:
    query = select(person.c.password_hash, person.c.totp_sealed, person.c.totp_step).where(person.c.id == person_id)
    return _one(db, query)


# ── who they are at an OpenID provider ─────────────────────────────────────────────────────────────────────────────


def bind(db: Connection, person_id: UUID, issuer: str, subject: str) -> None:
    db.execute(insert(identity).values(issuer=issuer, subject=subject, person_id=person_id))


def unbind(db: Connection, person_id: UUID) -> None:
    db.execute(delete(identity).where(identity.c.person_id == person_id))


# ── one-time links ─────────────────────────────────────────────────────────────────────────────────────────────────


def add_link(db: Connection, token_hash: str, person_id: UUID | None, purpose: str, expires_at: datetime) -> None:
    """A new link; the person's earlier ones of the same purpose stop working."""
    if person_id is not None:
        earlier = setup_token.c.person_id == person_id, setup_token.c.purpose == purpose
        db.execute(delete(setup_token).where(*earlier, setup_token.c.used_at.is_(None)))
    row = {"token_hash": token_hash, "person_id": person_id, "purpose": purpose, "expires_at": expires_at}
    db.execute(insert(setup_token).values(**row))


def link(db: Connection, token_hash: str) -> Mapping[str, Any] | None:
    return _one(db, select(setup_token).where(setup_token.c.token_hash == token_hash))


def use_link(db: Connection, token_hash: str, at: datetime) -> bool:
    """Whether the link was still unused; from now on it is used."""
    unused = setup_token.c.token_hash == token_hash, setup_token.c.used_at.is_(None)
    return db.execute(update(setup_token).where(*unused).values(used_at=at)).rowcount == 1


def drop_links(db: Connection, person_id: UUID) -> None:
    """Links of this person that were never used stop working."""
    db.execute(delete(setup_token).where(setup_token.c.person_id == person_id, setup_token.c.used_at.is_(None)))


def lock_first_admin(db: Connection) -> None:
    db.execute(text("select pg_advisory_xact_lock(:key)"), {"key": FIRST_ADMIN})


# ── the house's own secrets ────────────────────────────────────────────────────────────────────────────────────────


def house_secret_of(db: Connection, name: str) -> bytes | None:
    return db.execute(select(house_secret.c.sealed).where(house_secret.c.name == name)).scalar_one_or_none()


def keep_house_secret(db: Connection, name: str, sealed: bytes) -> None:
    """Write it unless another replica was first."""
    db.execute(upsert(house_secret).values(name=name, sealed=sealed).on_conflict_do_nothing())


def _one(db: Connection, query: Select[Any]) -> Mapping[str, Any] | None:
    row = db.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)
