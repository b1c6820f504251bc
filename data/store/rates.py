"""Exchange rates as rows, and the amounts in the house currency that are locked to them.

A row takes the rate of its business day, else the latest at most seven days before; from its currency to the house's
directly, else the inverse of the other direction. Either is one exact fraction, `numerator / denominator` house
minor units for one minor unit of the row, and the amount is rounded once, half away from zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Numeric,
    Subquery,
    Table,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
    values,
)
from sqlalchemy.types import BigInteger

from data.tables import rate, sale, spend

DAYS_BACK = 7
_BIGINT_MAX = 9 * 10**18


@dataclass(frozen=True, slots=True)
class HouseCurrency:
    code: str
    exponents: Mapping[str, int]
    """Digits after the point by currency, the house's among them."""


def priced(days: FromClause, house: HouseCurrency) -> Subquery:
    """`days` (currency, business_day) that have a rate, each with rate_id, numerator and denominator."""
    scale = _scales(house)
    direct = _latest(days, from_currency=days.c.currency, to_currency=literal(house.code, Text), name="direct")
    inverse = _latest(days, from_currency=literal(house.code, Text), to_currency=days.c.currency, name="inverse")
    is_direct = direct.c.id.is_not(None)
    return (
        select(
            days.c.currency,
            days.c.business_day,
            func.coalesce(direct.c.id, inverse.c.id).label("rate_id"),
            case((is_direct, direct.c.rate * scale.c.up), else_=scale.c.up).label("numerator"),
            case((is_direct, scale.c.down), else_=inverse.c.rate * scale.c.down).label("denominator"),
        )
        .select_from(
            days.join(scale, scale.c.currency == days.c.currency).outerjoin(direct, true()).outerjoin(inverse, true())
        )
        .where(or_(is_direct, inverse.c.id.is_not(None)))
        .subquery("priced")
    )


def _latest(days: FromClause, *, from_currency: Any, to_currency: Any, name: str) -> Any:
    recent = and_(rate.c.day <= days.c.business_day, rate.c.day >= days.c.business_day - DAYS_BACK)
    pair = and_(rate.c.from_currency == from_currency, rate.c.to_currency == to_currency)
    found = select(rate.c.id, rate.c.rate).where(pair, recent).order_by(rate.c.day.desc()).limit(1)
    return found.correlate(days).lateral(name)


def _scales(house: HouseCurrency) -> Any:
    """Powers of ten between the minor units of each currency and those of the house."""
    steps = {code: house.exponents[house.code] - digits for code, digits in house.exponents.items()}
    rows = [(code, 10 ** max(step, 0), 10 ** max(-step, 0)) for code, step in steps.items()]
    columns = column("currency", Text), column("up", Numeric), column("down", Numeric)
    return values(*columns, name="scale").data(rows)


def converted(minor: ColumnElement[Any], numerator: Any, denominator: Any) -> ColumnElement[Any]:
    """`minor × numerator / denominator`, rounded once, half away from zero; null where a bigint cannot hold it."""
    magnitude = func.div(2 * func.abs(cast(minor, Numeric)) * numerator + denominator, 2 * denominator)
    return case((magnitude <= _BIGINT_MAX, cast(func.sign(minor) * magnitude, BigInteger)), else_=null())


# ── rates that arrive later ────────────────────────────────────────────────────────────────────────────────────────


def lock(db: Connection, house: HouseCurrency) -> int:
    """Give every sale and spend that has no amount in the house currency the rate that holds for it by now.

    What takes back a sale in its currency waits for that sale's rate, even where its own day has one: the two cancel
    out, whichever came first. Answers how many rows.
    """
    taken = sale.alias("taken")
    same = select(taken.c.id).where(taken.c.id == sale.c.refunds, taken.c.currency == sale.c.currency).exists()
    by_day = _lock_by_day(db, house, sale, ~same)
    return by_day + lock_linked(db, house) + _lock_by_day(db, house, spend, true())


def lock_linked(db: Connection, house: HouseCurrency) -> int:
    """Rows that take a sale back, in its currency, are locked to that sale's rate; then what takes those back."""
    locked = 0
    while changed := _lock_to_theirs(db, house):
        locked += changed
    return locked


def _lock_to_theirs(db: Connection, house: HouseCurrency) -> int:
    taken, scale = sale.alias("taken"), _scales(house)
    is_direct = rate.c.to_currency == house.code
    amount = converted(
        sale.c.amount_minor,
        case((is_direct, rate.c.rate * scale.c.up), else_=scale.c.up),
        case((is_direct, scale.c.down), else_=rate.c.rate * scale.c.down),
    )
    changed = db.execute(
        update(sale)
        .values(house_minor=amount, rate_id=rate.c.id)
        .where(
            sale.c.house_minor.is_(None),
            sale.c.refunds == taken.c.id,
            taken.c.currency == sale.c.currency,
            taken.c.rate_id == rate.c.id,
            scale.c.currency == sale.c.currency,
            amount.is_not(None),
        )
    )
    return changed.rowcount


def _lock_by_day(db: Connection, house: HouseCurrency, table: Table, which: ColumnElement[bool]) -> int:
    days = select(table.c.currency, table.c.business_day).where(table.c.house_minor.is_(None)).distinct()
    found = priced(days.subquery("days"), house)
    amount = converted(table.c.amount_minor, found.c.numerator, found.c.denominator)
    changed = db.execute(
        update(table)
        .values(house_minor=amount, rate_id=found.c.rate_id)
        .where(
            table.c.house_minor.is_(None),
            which,
            table.c.currency == found.c.currency,
            table.c.business_day == found.c.business_day,
            amount.is_not(None),
        )
    )
    return changed.rowcount
