"""Annotations: a label on a business day that charts show, so that a peak or a dip keeps its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from core.errors import NotFound, Refusal
from core.periods import FIRST_DAY, Period, add_months
from core.trust import audit
from core.viewer import SYSTEM, Viewer, require
from data.store import growth as store

LABEL_MAX = 120


class BadAnnotation(Refusal):
    """A label or a day that cannot be meant."""

    code = "bad_annotation"
    status = 422


def add(db: Connection, viewer: Viewer, day: date, label: str, *, today: date) -> Mapping[str, Any]:
    """Note `label` on a day; days up to a year ahead are fine, for what is planned."""
    require(viewer, "admin", "analyst")
    text = checked(label)
    if not FIRST_DAY <= day <= add_months(today, 12):
        raise BadAnnotation(f"{day} is too far from today; choose a day between 1970 and a year from now.")
    row = store.annotate(db, day, text, None if viewer.person_id == SYSTEM.person_id else viewer.person_id)
    _record(db, viewer, "annotation.added", row["id"], after={"business_day": day, "label": text})
    return row


def retire(db: Connection, viewer: Viewer, annotation_id: int) -> None:
    """Take a note off the charts; it stays in the record."""
    require(viewer, "admin", "analyst")
    row = store.retire(db, annotation_id)
    if row is None:
        raise NotFound("There is no such note any more; reload the page.")
    _record(db, viewer, "annotation.retired", annotation_id, before={n: row[n] for n in ("business_day", "label")})


def within(db: Connection, viewer: Viewer, period: Period) -> Sequence[Mapping[str, Any]]:
    """The notes on the days of a period, in their order: id, business_day, label."""
    require(viewer, "admin", "analyst", "executive")
    return store.annotations_in(db, period.since, period.until)


def checked(label: str) -> str:
    text = " ".join(label.split())
    if not text:
        raise BadAnnotation("Write what happened on that day, such as “Spring launch”.")
    if len(text) > LABEL_MAX or not text.isprintable():
        raise BadAnnotation(f"A note is one line of at most {LABEL_MAX} printable characters; shorten it.")
    return text


def _record(db: Connection, viewer: Viewer, act: str, annotation_id: int, **rows: Any) -> None:
    audit.record(db, viewer, act, f"annotation:{annotation_id}", **rows)
