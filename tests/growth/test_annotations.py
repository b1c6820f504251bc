"""Notes on days: one line, on a day that can be meant, kept when they are taken off."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from core.errors import NotAllowed, NotFound
from core.growth import annotations
from core.growth.annotations import BadAnnotation
from core.periods import Period
from core.viewer import SYSTEM, Role, Viewer
from data.store import audit as trail

TODAY = date(2026, 3, 10)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


def viewer(role: Role) -> Viewer:
    return Viewer(uuid4(), "Vera", "vera@example.com", frozenset({role}))


def labels(db: Connection, who: Viewer, period: Period = MARCH) -> list[str]:
    return [row["label"] for row in annotations.within(db, who, period)]


def test_notes_of_a_period_come_in_the_order_of_their_days(db: Connection, admin: Viewer) -> None:
    annotations.add(db, admin, date(2026, 3, 9), "Outage", today=TODAY)
    annotations.add(db, viewer("analyst"), date(2026, 3, 1), "  Spring   launch ", today=TODAY)
    annotations.add(db, SYSTEM, date(2026, 4, 1), "April", today=TODAY)
    assert labels(db, viewer("executive")) == ["Spring launch", "Outage"]


def test_a_retired_note_leaves_the_charts_and_stays_in_the_trail(db: Connection, admin: Viewer) -> None:
    row = annotations.add(db, admin, TODAY, "Outage", today=TODAY)
    annotations.retire(db, admin, row["id"])
    assert labels(db, admin) == []
    entry = trail.latest(db, limit=1)[0]
    assert (entry["act"], entry["before"]) == ("annotation.retired", {"business_day": "2026-03-10", "label": "Outage"})
    with pytest.raises(NotFound):
        annotations.retire(db, admin, row["id"])


@pytest.mark.parametrize("label", ["", "   ", "x" * 121, "bell\x07", "nu\x00ll"])
def test_a_note_is_one_line_that_can_be_read(db: Connection, admin: Viewer, label: str) -> None:
    with pytest.raises(BadAnnotation):
        annotations.add(db, admin, TODAY, label, today=TODAY)


@pytest.mark.parametrize("day", [date(1066, 10, 14), TODAY + timedelta(days=366)])
def test_a_note_on_a_day_that_cannot_be_meant_is_refused(db: Connection, admin: Viewer, day: date) -> None:
    with pytest.raises(BadAnnotation, match="too far"):
        annotations.add(db, admin, day, "Launch", today=TODAY)


def test_only_admins_and_analysts_write_notes_and_partners_read_none(db: Connection, admin: Viewer) -> None:
    row = annotations.add(db, admin, TODAY, "Outage", today=TODAY)
    for role in ("executive", "partner"):
        with pytest.raises(NotAllowed):
            annotations.add(db, viewer(role), TODAY, "Launch", today=TODAY)  # type: ignore[arg-type]
        with pytest.raises(NotAllowed):
            annotations.retire(db, viewer(role), row["id"])  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        annotations.within(db, viewer("partner"), MARCH)
