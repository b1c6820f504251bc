"""Goals: what a metric is meant to reach in a month. KPI cards show the value beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from core.errors import NotFound, Refusal
from core.money import exponent, shown
from core.periods import Period
from core.trust import audit
from core.viewer import Viewer, require
from data.store import growth as store

TARGET_MAX = 10**15

_METRIC = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")


class BadGoal(Refusal):
    """A goal that cannot be meant."""

    code = "bad_goal"
    status = 422


def set_goal(
    db: Connection, viewer: Viewer, metric: str, month: date, target: int, *, currency: str | None = None
) -> None:
    """Set, or change, the goal of a metric for the month that `month` lies in.

    `target` is in the metric's unit: minor units of `currency` for money, a count, basis points for a rate.
    """
    require(viewer, "admin", "executive")
    first = month.replace(day=1)
    values = {"metric": _metric(metric), "month": first, "target": _target(target), "currency": currency}
    if currency is not None:
        exponent(currency)
    was = store.goal_of(db, metric, first, currency)
    if was and was["target"] == target:
        return
    store.set_goal(db, values)
    before = {"target": was["target"]} if was else None
    audit.record(db, viewer, "goal.set", f"goal:{metric}", before=before, after=values)


def withdraw(db: Connection, viewer: Viewer, metric: str, month: date, *, currency: str | None = None) -> None:
    """Take a goal back; its card shows none."""
    require(viewer, "admin", "executive")
    row = store.goal_of(db, metric, month.replace(day=1), currency)
    if row is None:
        raise NotFound("There is no such goal any more; reload the page.")
    store.drop_goal(db, row["id"])
    before = {name: row[name] for name in ("month", "target", "currency")}
    audit.record(db, viewer, "goal.withdrawn", f"goal:{metric}", before=before)


def of_month(db: Connection, viewer: Viewer, metric: str, month: date, *, currency: str | None = None) -> int | None:
    """The target of a metric for a month, in its unit; None where no goal was set."""
    require(viewer, "admin", "analyst", "executive")
    row = store.goal_of(db, metric, month.replace(day=1), currency)
    return int(row["target"]) if row else None


def within(
    db: Connection, viewer: Viewer, period: Period, *, metrics: Sequence[str] = ()
) -> Sequence[Mapping[str, Any]]:
    """The goals of the months that `period` touches: metric, month, target, currency."""
    require(viewer, "admin", "analyst", "executive")
    return store.goals_in(db, period.since.replace(day=1), period.until, metrics)


def _metric(name: str) -> str:
    if not _METRIC.match(name):
        raise BadGoal(f"{shown(name)} is not a metric; `millrace metrics` lists them.")
    return name


def _target(target: int) -> int:
    if isinstance(target, bool) or not isinstance(target, int) or not 0 <= target <= TARGET_MAX:
        raise BadGoal("A goal is zero or more, and at most a thousand trillion; check the digits.")
    return target
