"""Annotations and goals as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from data.tables import annotation, goal

Row = dict[str, Any]


def annotate(db: Connection, day: date, label: str, person_id: UUID | None) -> Row:
    new = insert(annotation).values(business_day=day, label=label, person_id=person_id).returning(*annotation.c)
    return dict(db.execute(new).mappings().one())


def annotations_in(db: Connection, since: date, until: date) -> list[Row]:
    """The notes on days from `since` up to, and without, `until`, in their order; retired ones are left out."""
    query = select(annotation).where(
        annotation.c.business_day >= since, annotation.c.business_day < until, annotation.c.retired.is_(False)
    )
    return _all(db, query.order_by(annotation.c.business_day, annotation.c.id))


def retire(db: Connection, annotation_id: int) -> Row | None:
    """The note that was retired just now; None when there is none that stands."""
    done = db.execute(
        update(annotation)
        .where(annotation.c.id == annotation_id, annotation.c.retired.is_(False))
        .values(retired=True)
        .returning(*annotation.c)
    )
    row = done.mappings().one_or_none()
    return dict(row) if row else None


def set_goal(db: Connection, values: Mapping[str, Any]) -> None:
    new = insert_or(goal).values(**values)
    key = [goal.c.metric, goal.c.month, goal.c.currency]
    db.execute(new.on_conflict_do_update(index_elements=key, set_={"target": new.excluded.target}))


def goal_of(db: Connection, metric: str, month: date, currency: str | None) -> Row | None:
    row = db.execute(_goal(metric, month, currency)).mappings().one_or_none()
    return dict(row) if row else None


def drop_goal(db: Connection, goal_id: int) -> None:
    db.execute(delete(goal).where(goal.c.id == goal_id))


def goals_in(db: Connection, since: date, until: date, metrics: Sequence[str] = ()) -> list[Row]:
    """The goals of months that begin from `since` up to, and without, `until`; of some metrics or of all."""
    query = select(goal).where(goal.c.month >= since, goal.c.month < until)
    if metrics:
        query = query.where(goal.c.metric.in_(metrics))
    return _all(db, query.order_by(goal.c.month, goal.c.metric, goal.c.currency))


def _goal(metric: str, month: date, currency: str | None) -> Any:
    same = goal.c.currency.is_not_distinct_from(currency)
    return select(goal).where(goal.c.metric == metric, goal.c.month == month, same)


def _all(db: Connection, statement: Any) -> list[Row]:
    return [dict(row) for row in db.execute(statement).mappings()]
