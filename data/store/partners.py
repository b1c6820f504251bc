"""Partners, programs, groups, referral codes and clicks as rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from data.tables import audit, click, partner, partner_group, person_partner, program, program_terms, referral_code

Row = dict[str, Any]

SHOWN = tuple(column for column in partner.c if column.name != "xid")

# ── partners ───────────────────────────────────────────────────────────────────────────────────────────────────────


def enrol(db: Connection, values: Mapping[str, Any]) -> Row | None:
    """The new row; None when its code is taken."""
    new = insert_or(partner).values(**values).on_conflict_do_nothing(index_elements=["code"]).returning(*SHOWN)
    return _one(db, new)


def enrol_many(db: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Those of `rows` that are new, as id and code; codes that are taken are left as they are.

    In the order of their codes, so that two files that bring the same partners wait for each other and never cross.
    """
    if not rows:
        return []
    new = insert_or(partner).on_conflict_do_nothing(index_elements=["code"]).returning(partner.c.id, partner.c.code)
    return _all(db, new.values(sorted(rows, key=lambda row: str(row["code"]))))


def change(db: Connection, partner_id: int, version: int, values: Mapping[str, Any]) -> Row | None:
    """The changed row, one version on; None when `version` is no longer the current one."""
    return _one(
        db,
        update(partner)
        .where(partner.c.id == partner_id, partner.c.version == version)
        .values(**values, version=partner.c.version + 1)
        .returning(*SHOWN),
    )


def one(db: Connection, partner_id: int) -> Row | None:
    return _one(db, _partners().where(partner.c.id == partner_id))


def hold(db: Connection, partner_id: int) -> Row | None:
    """A partner whose row stays as it is until the transaction ends."""
    return _one(db, select(*SHOWN).where(partner.c.id == partner_id).with_for_update(read=True))


def ids_of(db: Connection, codes: Collection[str]) -> dict[str, int]:
    """Code → id of those that exist."""
    return _pairs(db, select(partner.c.code, partner.c.id).where(partner.c.code == func.any(list(codes))))


def find(
    db: Connection,
    *,
    search: str = "",
    statuses: Collection[str] = (),
    types: Collection[str] = (),
    regions: Collection[str] = (),
    programs: Collection[str] = (),
    only: Collection[int] | None = None,
    by_email: bool = False,
    limit: int,
) -> list[Row]:
    """Partners by name. `search` is part of a name, code or referral code, and of an e-mail address where `by_email`
    says so; `only` narrows to ids."""
    query = _partners().order_by(func.lower(partner.c.name), partner.c.id).limit(limit)
    for column, wanted in (
        (partner.c.status, statuses),
        (partner.c.type, types),
        (partner.c.region, regions),
        (program.c.code, programs),
    ):
        if wanted:
            query = query.where(column.in_(wanted))
    if search:
        has_code = exists().where(
            referral_code.c.partner_id == partner.c.id, referral_code.c.code.icontains(search, autoescape=True)
        )
        columns = (partner.c.name, partner.c.code, *((partner.c.email,) if by_email else ()))
        query = query.where(or_(has_code, *(column.icontains(search, autoescape=True) for column in columns)))
    if only is not None:
        query = query.where(partner.c.id.in_(only))
    return _all(db, query)


def statuses(db: Connection, only: Collection[int] | None) -> dict[str, int]:
    """How many partners there are of each status."""
    query = select(partner.c.status, func.count()).group_by(partner.c.status)
    if only is not None:
        query = query.where(partner.c.id.in_(only))
    return _pairs(db, query)


def people_of(db: Connection, partner_id: int) -> int:
    """How many people may see this partner's rows."""
    query = select(func.count()).select_from(person_partner).where(person_partner.c.partner_id == partner_id)
    return int(db.execute(query).scalar_one())


def history(db: Connection, subject: str, limit: int) -> list[Row]:
    """The acts on one subject, newest first."""
    return _all(db, select(audit).where(audit.c.subject == subject).order_by(audit.c.id.desc()).limit(limit))


def _partners() -> Any:
    codes = (
        select(func.count())
        .where(referral_code.c.partner_id == partner.c.id, referral_code.c.status == "active")
        .scalar_subquery()
    )
    return (
        select(
            *SHOWN,
            partner_group.c.code.label("group"),
            partner_group.c.name.label("group_name"),
            program.c.code.label("program"),
            program.c.name.label("program_name"),
            program.c.currency,
            program.c.timezone,
            program_terms.c.share_bps.label("program_share_bps"),
            codes.label("codes"),
        )
        .outerjoin(partner_group, partner_group.c.id == partner.c.group_id)
        .outerjoin(program, program.c.id == partner.c.program_id)
        .outerjoin(program_terms, and_(program_terms.c.program_id == program.c.id, _holds_on(_today())))
    )


# ── programs, terms, groups ────────────────────────────────────────────────────────────────────────────────────────


def open_program(db: Connection, values: Mapping[str, Any]) -> Row | None:
    """The new row; None when its code is taken."""
    return _one(
        db, insert_or(program).values(**values).on_conflict_do_nothing(index_elements=["code"]).returning(*program.c)
    )


def change_program(db: Connection, program_id: int, values: Mapping[str, Any]) -> None:
    _exactly_one(db, update(program).where(program.c.id == program_id).values(**values))


def program_of(db: Connection, code: str, *, lock: bool = False) -> Row | None:
    query = select(program, _today().label("today")).where(program.c.code == code)
    return _one(db, query.with_for_update() if lock else query)


def programs(db: Connection) -> list[Row]:
    """Every program with the terms that hold today in its zone (null columns where none do) and its partners."""
    members = select(func.count()).where(partner.c.program_id == program.c.id).scalar_subquery()
    terms = [column for column in program_terms.c if column.name not in ("id", "program_id")]
    return _all(
        db,
        select(program, *terms, members.label("partners"))
        .outerjoin(program_terms, and_(program_terms.c.program_id == program.c.id, _holds_on(_today())))
        .order_by(program.c.code),
    )


def terms_of(db: Connection, program_id: int) -> list[Row]:
    """All terms of a program, oldest first."""
    return _all(
        db, select(program_terms).where(program_terms.c.program_id == program_id).order_by(program_terms.c.since)
    )


def terms_on(db: Connection, program_id: int, day: date) -> Row | None:
    holds = _holds_on(literal(day))
    return _one(db, select(program_terms).where(program_terms.c.program_id == program_id, holds))


def add_terms(db: Connection, values: Mapping[str, Any]) -> Row:
    return dict(db.execute(insert(program_terms).values(**values).returning(*program_terms.c)).mappings().one())


def end_terms(db: Connection, terms_id: int, until: date | None) -> None:
    _exactly_one(db, update(program_terms).where(program_terms.c.id == terms_id).values(until=until))


def drop_terms(db: Connection, terms_id: int) -> None:
    _exactly_one(db, delete(program_terms).where(program_terms.c.id == terms_id))


def make_group(db: Connection, values: Mapping[str, Any]) -> Row | None:
    return _one(
        db,
        insert_or(partner_group)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(*partner_group.c),
    )


def change_group(db: Connection, group_id: int, values: Mapping[str, Any]) -> None:
    _exactly_one(db, update(partner_group).where(partner_group.c.id == group_id).values(**values))


def group_of(db: Connection, code: str, *, lock: bool = False) -> Row | None:
    query = select(partner_group).where(partner_group.c.code == code)
    return _one(db, query.with_for_update() if lock else query)


def groups(db: Connection) -> list[Row]:
    members = select(func.count()).where(partner.c.group_id == partner_group.c.id).scalar_subquery()
    return _all(db, select(partner_group, members.label("partners")).order_by(partner_group.c.code))


# ── referral codes ─────────────────────────────────────────────────────────────────────────────────────────────────


def issue(db: Connection, values: Mapping[str, Any]) -> Row | None:
    """The new code; None when it is taken."""
    return _one(
        db,
        insert_or(referral_code)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(*referral_code.c),
    )


def code(db: Connection, text: str) -> Row | None:
    """A code with its partner's name, status and zone."""
    return _one(db, _codes().where(referral_code.c.code == text))


def codes(db: Connection, *, only: Collection[int] | None, limit: int) -> list[Row]:
    query = _codes().order_by(referral_code.c.created_at.desc(), referral_code.c.id.desc()).limit(limit)
    if only is not None:
        query = query.where(referral_code.c.partner_id.in_(only))
    return _all(db, query)


def retire(db: Connection, code_id: int) -> bool:
    """Whether it was active until now."""
    done = db.execute(
        update(referral_code)
        .where(referral_code.c.id == code_id, referral_code.c.status == "active")
        .values(status="retired")
    )
    return done.rowcount == 1


def retire_all(db: Connection, partner_id: int) -> list[str]:
    """Retire every active code of a partner; returns them."""
    done = db.execute(
        update(referral_code)
        .where(referral_code.c.partner_id == partner_id, referral_code.c.status == "active")
        .values(status="retired")
        .returning(referral_code.c.code)
    )
    return sorted(done.scalars())


def use(db: Connection, text: str, times: int, at: datetime) -> Row | None:
    """Count `times` uses of a code that is active, not expired and has so many left; None otherwise.

    One statement: of any number of callers at once, only as many succeed as the limit allows.
    """
    limit, expires = referral_code.c.use_limit, referral_code.c.expires_at
    return _one(
        db,
        update(referral_code)
        .where(
            referral_code.c.code == text,
            referral_code.c.status == "active",
            or_(expires.is_(None), expires > at),
            or_(limit.is_(None), referral_code.c.uses + times <= limit),
        )
        .values(uses=referral_code.c.uses + times)
        .returning(*referral_code.c),
    )


def partners_of(db: Connection, texts: Collection[str]) -> dict[str, int]:
    """Code → partner id of those that exist, retired and expired ones too."""
    wanted = referral_code.c.code == func.any(list(texts))
    return _pairs(db, select(referral_code.c.code, referral_code.c.partner_id).where(wanted))


def _codes() -> Any:
    return (
        select(
            *(column for column in referral_code.c if column.name != "xid"),
            partner.c.code.label("partner"),
            partner.c.name.label("partner_name"),
            partner.c.status.label("partner_status"),
            program.c.timezone,
        )
        .join(partner, partner.c.id == referral_code.c.partner_id)
        .outerjoin(program, program.c.id == partner.c.program_id)
    )


# ── clicks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def add_click(db: Connection, values: Mapping[str, Any], *, apart: timedelta) -> bool:
    """Store a click unless this visitor followed this code less than `apart` ago; whether it was stored.

    Clicks of one visitor on one code wait for each other, so that a double click counts once.
    """
    turn = f"click {values['visitor']} {values['referral_code_id']}"
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(turn, 0))))
    recent = select(click.c.id).where(
        click.c.visitor == values["visitor"],
        click.c.referral_code_id == values["referral_code_id"],
        click.c.at > values["at"] - apart,
        click.c.at <= values["at"],
    )
    if db.execute(recent.limit(1)).first():
        return False
    db.execute(insert(click).values(**values))
    return True


def clicks_of(db: Connection, visitors: Collection[str], *, default_days: int) -> list[Row]:
    """The clicks of these visitors, in the order in which they were stored.

    Each has the window that its partner's program promised on its day, or `default_days` where none did.
    """
    return _all(
        db,
        select(
            click.c.visitor,
            referral_code.c.code,
            click.c.partner_id,
            click.c.at,
            func.coalesce(program_terms.c.attribution_days, default_days).label("window_days"),
        )
        .join(referral_code, referral_code.c.id == click.c.referral_code_id)
        .join(partner, partner.c.id == click.c.partner_id)
        .outerjoin(
            program_terms,
            and_(
                program_terms.c.program_id == partner.c.program_id,
                _holds_on(click.c.business_day),
            ),
        )
        .where(click.c.visitor == func.any(list(visitors)))
        .order_by(click.c.id),
    )


def _today() -> ColumnElement[date]:
    """The day that it is in the program's zone."""
    return func.date(func.timezone(program.c.timezone, func.now()))


def _holds_on(day: ColumnElement[date]) -> ColumnElement[bool]:
    until = program_terms.c.until
    return and_(program_terms.c.since <= day, or_(until.is_(None), until > day))


def _one(db: Connection, statement: Any) -> Row | None:
    found = db.execute(statement).mappings().one_or_none()
    return dict(found) if found is not None else None


def _all(db: Connection, statement: Any) -> list[Row]:
    return [dict(row) for row in db.execute(statement).mappings()]


def _pairs(db: Connection, statement: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in db.execute(statement)}


def _exactly_one(db: Connection, statement: Any) -> None:
    touched = db.execute(statement).rowcount
    if touched != 1:
        raise RuntimeError(f"{touched} rows were touched where exactly one was meant")
