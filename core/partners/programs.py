"""Programs and their dated terms, and the groups of partners that share terms: what partners earn under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from core.errors import Conflict, NotFound
from core.money import exponent, shown
from core.partners import rules
from core.periods import FIRST_DAY, zone
from core.trust import audit
from core.viewer import Viewer, require
from data.store import partners as store


@dataclass(frozen=True, slots=True)
class Terms:
    """What a program promises from a day on. Amounts are minor units of the program's currency."""

    hold_days: int = 30
    """How long a commission waits for refunds before it may be paid."""
    minimum_minor: int = 0
    """The least that is paid out; what is below waits."""
    payday: int = 15
    """The day of the month on which payouts are proposed (1 to 28, so that every month has it)."""
    approval_limit_minor: int = 0
    """Up to this much one admin approves alone; above it two do."""
    attribution_days: int = 30
    """How long after a click a sale still counts as the partner's."""
    share_bps: int = 0
    """The share of a sale, in basis points, where the partner has none of its own."""

    def __post_init__(self) -> None:
        rules.whole("The hold in days", self.hold_days, 0, 366)
        rules.minimum_minor(self.minimum_minor)
        rules.whole("The payday", self.payday, 1, 28)
        rules.minimum_minor(self.approval_limit_minor)
        rules.whole("The attribution window in days", self.attribution_days, 0, 3650)
        if rules.share_bps(self.share_bps) is None:
            raise rules.BadPartner("Terms name a share; write 0 where partners earn nothing by default.")


class PastTerms(Conflict):
    """Terms that have begun are a promise; they do not change."""

    code = "past_terms"


def open_program(
    db: Connection,
    viewer: Viewer,
    *,
    code: str,
    name: str,
    currency: str,
    timezone: str = "UTC",
    terms: Terms | None = None,
    since: date = FIRST_DAY,
) -> Mapping[str, Any]:
    """A new program with its first terms, which hold from `since` (from the beginning, so that old sales have some).

    Currency and time zone stay: amounts and business days that are stored rest on them.
    """
    require(viewer, "admin")
    exponent(currency)
    zone(timezone)
    values = {"code": rules.code(code), "name": rules.name(name), "currency": currency, "timezone": timezone}
    row = store.open_program(db, values)
    if row is None:
        raise Conflict(f"There is a program {shown(values['code'])} already; choose another code.")
    first = {"since": since, **asdict(terms or Terms())}
    store.add_terms(db, {"program_id": row["id"], **first})
    _record(db, viewer, "program.opened", row["id"], after=values | {"terms": audit.plain(first)})
    return row


def change_program(
    db: Connection, viewer: Viewer, code: str, *, name: str | None = None, status: str | None = None
) -> None:
    """Rename a program, close it or open it again. A closed program takes no new partners; its terms still hold."""
    require(viewer, "admin")
    program = _program(db, code)
    values = {"name": rules.name(name)} if name is not None else {}
    if status is not None:
        values["status"] = rules.chosen("status of a program", ("active", "closed"))(status)
    before, after = audit.changed(program, values)
    if after:
        store.change_program(db, program["id"], after)
        _record(db, viewer, "program.changed", program["id"], before=before, after=after)


def set_terms(db: Connection, viewer: Viewer, code: str, terms: Terms, *, since: date) -> Mapping[str, Any]:
    """New terms of a program from a day on, today (in its zone) at the earliest; the former ones end the day before.

    Terms that are planned for a later day stay planned: the new ones end where those begin.
    """
    require(viewer, "admin")
    program = _program(db, code)
    stored = store.terms_of(db, program["id"])
    if stored and since < program["today"]:
        raise PastTerms(f"Terms of past days do not change; choose {program['today']} or a later day.")
    if any(row["since"] == since for row in stored):
        raise PastTerms(f"There are terms from {since} already; choose another day, or withdraw those if planned.")
    former = next((row for row in stored if row["since"] < since and (row["until"] or date.max) > since), None)
    later = [row["since"] for row in stored if row["since"] > since]
    if former:
        store.end_terms(db, former["id"], since)
    values = {"since": since, "until": min(later, default=None), **asdict(terms)}
    row = store.add_terms(db, {"program_id": program["id"], **values})
    _record(
        db,
        viewer,
        "program.terms_set",
        program["id"],
        before=_promised(former) if former else None,
        after=values,
    )
    return row


def withdraw_terms(db: Connection, viewer: Viewer, code: str, *, since: date) -> None:
    """Take back terms that are planned and have not begun; the ones before them hold on."""
    require(viewer, "admin")
    program = _program(db, code)
    stored = store.terms_of(db, program["id"])
    planned = next((row for row in stored if row["since"] == since), None)
    if planned is None:
        raise NotFound(f"This program has no terms from {since}; reload the page.")
    if since <= program["today"]:
        raise PastTerms("These terms have begun and stay; set new ones from today or a later day.")
    former = next((row for row in stored if row["until"] == since), None)
    store.drop_terms(db, planned["id"])
    if former:
        store.end_terms(db, former["id"], planned["until"])
    _record(db, viewer, "program.terms_withdrawn", program["id"], before=_promised(planned))


def programs(db: Connection, viewer: Viewer) -> Sequence[Mapping[str, Any]]:
    """Every program with the terms that hold today (null where none do) and how many partners it has."""
    require(viewer, "admin", "analyst", "executive")
    return store.programs(db)


def terms_of(db: Connection, viewer: Viewer, code: str) -> Sequence[Mapping[str, Any]]:
    """All terms of a program, the newest first; `last_day` is null where they hold until changed."""
    require(viewer, "admin", "analyst", "executive")
    program = _program(db, code)
    rows = store.terms_of(db, program["id"])
    return [
        row | {"last_day": row["until"] and row["until"] - timedelta(days=1), "state": _state(row, program["today"])}
        for row in reversed(rows)
    ]


# ── groups ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_group(
    db: Connection,
    viewer: Viewer,
    *,
    code: str,
    name: str,
    minimum_minor: int | None = None,
    currency: str | None = None,
) -> Mapping[str, Any]:
    """A named set of partners that shares a minimum payout, in a currency; without one the program's holds."""
    require(viewer, "admin")
    values = {"code": rules.code(code), "name": rules.name(name), **_minimum(minimum_minor, currency)}
    row = store.make_group(db, values)
    if row is None:
        raise Conflict(f"There is a group {shown(values['code'])} already; choose another code.")
    audit.record(db, viewer, "group.made", f"group:{row['id']}", after=values)
    return row


def change_group(
    db: Connection,
    viewer: Viewer,
    code: str,
    *,
    name: str,
    minimum_minor: int | None = None,
    currency: str | None = None,
) -> None:
    require(viewer, "admin")
    row = store.group_of(db, code, lock=True)
    if row is None:
        raise NotFound(f"There is no group {shown(code)}; reload the page.")
    before, after = audit.changed(row, {"name": rules.name(name), **_minimum(minimum_minor, currency)})
    if after:
        store.change_group(db, row["id"], after)
        audit.record(db, viewer, "group.changed", f"group:{row['id']}", before=before, after=after)


def groups(db: Connection, viewer: Viewer) -> Sequence[Mapping[str, Any]]:
    """Every group and how many partners it has."""
    require(viewer, "admin", "analyst", "executive")
    return store.groups(db)


# ── within ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _program(db: Connection, code: str) -> Mapping[str, Any]:
    """A program, with the day that it is in its zone; its row is held, so that two changes of terms take turns."""
    row = store.program_of(db, code, lock=True)
    if row is None:
        raise NotFound(f"There is no program {shown(code)}; reload the page.")
    return row


def _minimum(minor: int | None, currency: str | None) -> dict[str, Any]:
    if minor is None:
        return {"minimum_minor": None, "currency": None}
    if not currency:
        raise rules.BadPartner("A minimum needs its currency; choose one, or leave the minimum empty.")
    exponent(currency)
    return {"minimum_minor": rules.minimum_minor(minor), "currency": currency}


def _state(row: Mapping[str, Any], today: date) -> str:
    if row["since"] > today:
        return "planned"
    return "in force" if row["until"] is None or row["until"] > today else "past"


def _promised(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("id", "program_id")}


def _record(db: Connection, viewer: Viewer, act: str, program_id: int, **rows: Any) -> None:
    audit.record(db, viewer, act, f"program:{program_id}", **rows)
