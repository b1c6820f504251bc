"""The audit trail: who, what, before and after; written once and never changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from core.errors import NotAllowed
from core.trust import audit
from core.viewer import ROLES, SYSTEM, Viewer


def test_an_act_names_who_did_what_to_what_and_from_where(db: Connection, admin: Viewer) -> None:
    audit.record(db, SYSTEM, "partner.changed", "partner:17", before={"share_bps": 100}, after={"share_bps": 200})
    row = audit.latest(db, admin, limit=1)[0]
    assert (row["actor"], row["act"], row["subject"], row["origin"]) == (
        "Millrace",
        "partner.changed",
        "partner:17",
        "millrace",
    )
    assert (row["before"], row["after"]) == ({"share_bps": 100}, {"share_bps": 200})
    assert row["person_id"] is None
    assert row["at"].tzinfo is not None


def test_the_newest_comes_first_and_beginnings_narrow(db: Connection, admin: Viewer) -> None:
    for act, subject in (("a.one", "x:1"), ("a.two", "x:2"), ("b.one", "y:1"), ("a_one", "x:3")):
        audit.record(db, SYSTEM, act, subject)
    assert [row["act"] for row in audit.latest(db, admin, act="a.")] == ["a.two", "a.one"]
    assert [row["act"] for row in audit.latest(db, admin, subject="y:")] == ["b.one"]
    assert [row["act"] for row in audit.latest(db, admin, limit=1)] == ["a_one"]


@pytest.mark.parametrize("words", ["%", "a%", "_", "a_o", "\\"])
def test_a_beginning_is_taken_by_its_letters(db: Connection, admin: Viewer, words: str) -> None:
    audit.record(db, SYSTEM, "a.one", "x:1")
    assert list(audit.latest(db, admin, act=words)) == []


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_the_trail_is_read_by_admins_alone(db: Connection, role: str) -> None:
    with pytest.raises(NotAllowed):
        audit.latest(db, Viewer(uuid4(), "Ana", "ana@example.com", frozenset({role})))  # type: ignore[arg-type]


@pytest.mark.parametrize("statement", ["update audit set actor = 'x'", "delete from audit", "truncate audit"])
def test_postgres_refuses_to_change_what_was_written(db: Connection, statement: str) -> None:
    audit.record(db, SYSTEM, "a.one", "x:1")
    with pytest.raises(DBAPIError), db.begin_nested():
        db.execute(text(statement))


def test_only_what_changed_is_told() -> None:
    before = {"name": "Acme", "share_bps": 100, "gone": 1}
    after = {"name": "Acme", "share_bps": 200, "new": None}
    assert audit.changed(before, after) == ({"share_bps": 100}, {"share_bps": 200})
    assert audit.changed({}, {"a": 1}) == ({"a": None}, {"a": 1})


def test_values_of_the_business_are_kept_as_plain_json() -> None:
    row = {
        "day": date(2026, 3, 31),
        "at": datetime(2026, 3, 31, 1, 2, tzinfo=UTC),
        "rate": Decimal("1.10"),
        "id": UUID(int=7),
        "roles": frozenset({"b", "a"}),
        "count": 3,
        "none": None,
    }
    assert audit.plain(row) == {
        "day": "2026-03-31",
        "at": "2026-03-31T01:02:00+00:00",
        "rate": "1.10",
        "id": "00000000-0000-0000-0000-000000000007",
        "roles": ["a", "b"],
        "count": 3,
        "none": None,
    }
    assert audit.plain(None) is None


def test_an_act_that_is_rolled_back_was_never_done(db: Connection, admin: Viewer) -> None:
    with db.begin_nested() as inner:
        audit.record(db, SYSTEM, "a.one", "x:1")
        inner.rollback()
    assert audit.latest(db, admin, act="a.one") == []
