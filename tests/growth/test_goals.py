"""Goals: one for a metric, a month and a currency; set by those who answer for them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from core.errors import NotAllowed, NotFound
from core.growth import goals
from core.growth.goals import BadGoal
from core.money import NotMoney
from core.periods import Period
from core.viewer import Role, Viewer
from data.store import audit as trail

MARCH = date(2026, 3, 1)


def viewer(role: Role) -> Viewer:
    return Viewer(uuid4(), "Vera", "vera@example.com", frozenset({role}))


def test_a_goal_is_set_changed_and_withdrawn_and_the_trail_tells(db: Connection, admin: Viewer) -> None:
    goals.set_goal(db, admin, "net_revenue", date(2026, 3, 17), 100_000_00, currency="USD")
    goals.set_goal(db, admin, "net_revenue", MARCH, 120_000_00, currency="USD")
    assert goals.of_month(db, admin, "net_revenue", MARCH, currency="USD") == 120_000_00
    entry = trail.latest(db, limit=1)[0]
    assert (entry["act"], entry["before"], entry["after"]["target"]) == ("goal.set", {"target": 100_000_00}, 120_000_00)
    goals.withdraw(db, admin, "net_revenue", MARCH, currency="USD")
    assert goals.of_month(db, admin, "net_revenue", MARCH, currency="USD") is None
    with pytest.raises(NotFound):
        goals.withdraw(db, admin, "net_revenue", MARCH, currency="USD")


def test_a_goal_without_a_currency_is_one_goal_too(db: Connection, admin: Viewer) -> None:
    goals.set_goal(db, admin, "orders", MARCH, 100)
    goals.set_goal(db, admin, "orders", MARCH, 200)
    assert goals.of_month(db, admin, "orders", MARCH) == 200
    assert len(goals.within(db, admin, Period(MARCH, date(2026, 4, 1)))) == 1


def test_the_same_goal_again_leaves_no_trace(db: Connection, admin: Viewer) -> None:
    goals.set_goal(db, admin, "orders", MARCH, 100)
    before = trail.latest(db, limit=1)[0]["id"]
    goals.set_goal(db, admin, "orders", MARCH, 100)
    assert trail.latest(db, limit=1)[0]["id"] == before


def test_a_period_finds_the_goals_of_the_months_that_it_touches(db: Connection, admin: Viewer) -> None:
    for month in (2, 3, 4):
        goals.set_goal(db, admin, "orders", date(2026, month, 1), month)
    goals.set_goal(db, admin, "net_revenue", MARCH, 1, currency="EUR")
    period = Period(date(2026, 3, 10), date(2026, 4, 1))
    assert [row["metric"] for row in goals.within(db, admin, period)] == ["net_revenue", "orders"]
    assert [row["target"] for row in goals.within(db, admin, period, metrics=["orders"])] == [3]


@pytest.mark.parametrize("target", [-1, 10**15 + 1, True, 1.5])
def test_a_goal_out_of_reason_is_refused(db: Connection, admin: Viewer, target: Any) -> None:
    with pytest.raises(BadGoal):
        goals.set_goal(db, admin, "orders", MARCH, target)


def test_a_metric_or_currency_that_cannot_be_meant_is_refused(db: Connection, admin: Viewer) -> None:
    with pytest.raises(BadGoal, match="not a metric"):
        goals.set_goal(db, admin, "Net Revenue; drop", MARCH, 1)
    with pytest.raises(NotMoney):
        goals.set_goal(db, admin, "net_revenue", MARCH, 1, currency="XXX")


def test_admins_and_executives_set_goals_and_partners_see_none(db: Connection) -> None:
    goals.set_goal(db, viewer("executive"), "orders", MARCH, 1)
    for role in ("analyst", "partner"):
        with pytest.raises(NotAllowed):
            goals.set_goal(db, viewer(role), "orders", MARCH, 2)  # type: ignore[arg-type]
        with pytest.raises(NotAllowed):
            goals.withdraw(db, viewer(role), "orders", MARCH)  # type: ignore[arg-type]
    assert goals.of_month(db, viewer("analyst"), "orders", MARCH) == 1
    with pytest.raises(NotAllowed):
        goals.of_month(db, viewer("partner"), "orders", MARCH)
