"""The registry of partners: enrol, change, approve, suspend, reinstate, terminate; each act is in the audit trail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from core.errors import Conflict, NotFound
from core.money import shown
from core.partners import rules
from core.trust import audit
from core.viewer import Viewer, require
from data.store import partners as store

FOUND_MAX = 2_000
"""A list on a screen never holds more partners than this; search narrows it."""

PRIVATE: dict[str, Any] = {"email": None, "api_base": None, "metadata": {}}
"""What only admins and the partner itself see, and what everybody else sees in its place."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner as the registry holds it. `share_bps` None: the program's share holds."""

    id: int
    code: str
    name: str
    type: str
    status: str
    region: str
    country: str | None
    group_id: int | None
    program_id: int | None
    email: str | None
    api_base: str | None
    share_bps: int | None
    capabilities: tuple[str, ...]
    metadata: Mapping[str, Any]
    version: int
    """Each change adds one; a form that changes the partner names the version that it saw."""
    created_at: datetime

    @staticmethod
    def from_row(row: Mapping[str, Any]) -> Partner:
        values = {name: row[name] for name in Partner.__slots__}
        return Partner(**values | {"capabilities": tuple(row["capabilities"])})


class StaleForm(Conflict):
    """Somebody changed the partner while this form was open."""

    code = "stale_form"


# ── acts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def enrol(db: Connection, viewer: Viewer, fields: Mapping[str, Any]) -> Partner:
    """Add a partner: `code`, `name` and `type` are needed, the rest may wait. Pending unless `status` says otherwise.

    Further fields: status, region, country, group and program (codes), email, api_base, share_bps, capabilities,
    metadata.
    """
    require(viewer, "admin")
    needed = {"code": "", "name": "", "type": ""}
    values = _resolved(db, needed | dict(fields))
    row = store.enrol(db, values)
    if row is None:
        raise Conflict(f"There is a partner {shown(values['code'])} already; choose another code.")
    _record(db, viewer, "partner.enrolled", row["id"], after=values)
    return Partner.from_row(row)


def enrol_unknown(db: Connection, viewer: Viewer, names: Iterable[str], *, type: str = "affiliate") -> dict[str, int]:
    """Enrol those of `names`, as a file gives them, that the registry does not know; they wait as pending.

    Returns the id of each name, known and new. A name's code is `rules.code_of(name)`.
    """
    require(viewer, "admin")
    codes = {name: rules.code_of(name) for name in names}
    new = {code: _named(code, name, type) for name, code in codes.items()}
    known = store.ids_of(db, list(new))
    for row in store.enrol_many(db, [values for code, values in new.items() if code not in known]):
        _record(db, viewer, "partner.enrolled", row["id"], after=new[row["code"]])
    ids = store.ids_of(db, list(new))
    return {name: ids[code] for name, code in codes.items()}


def change(db: Connection, viewer: Viewer, partner_id: int, version: int, fields: Mapping[str, Any]) -> Partner:
    """Set `fields` (any of enrol's but code and status) of a partner whom the caller saw at `version`."""
    require(viewer, "admin")
    for name in ("code", "status"):
        if name in fields:
            raise rules.BadPartner(f"The {name} does not change with the other fields; leave it out.")
    row = _seen(db, partner_id, version)
    return _write(db, viewer, row, "partner.changed", _resolved(db, fields, was_in=row["program_id"]))


def approve(db: Connection, viewer: Viewer, partner_id: int, version: int) -> Partner:
    """A pending partner becomes active: from now on what it earns may be paid."""
    return _step(db, viewer, partner_id, version, act="partner.approved", then="active", only_from="pending")


def suspend(db: Connection, viewer: Viewer, partner_id: int, version: int, reason: str) -> Partner:
    """An active partner is paused, for a reason that stays in the trail. Its sales are still counted as its own."""
    return _step(db, viewer, partner_id, version, act="partner.suspended", then="suspended", why=rules.reason(reason))


def reinstate(db: Connection, viewer: Viewer, partner_id: int, version: int) -> Partner:
    """A suspended partner is active again."""
    return _step(db, viewer, partner_id, version, act="partner.reinstated", then="active", only_from="suspended")


def terminate(db: Connection, viewer: Viewer, partner_id: int, version: int, reason: str) -> Partner:
    """The end of a partnership: final, and every code of the partner is retired with it."""
    ended = _step(
        db, viewer, partner_id, version, act="partner.terminated", then="terminated", why=rules.reason(reason)
    )
    for code in store.retire_all(db, partner_id):
        _record(db, viewer, "referral_code.retired", partner_id, before={"code": code}, after={"status": "retired"})
    return ended


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────


def find(
    db: Connection,
    viewer: Viewer,
    *,
    search: str = "",
    status: Collection[str] = (),
    type: Collection[str] = (),
    region: Collection[str] = (),
    program: Collection[str] = (),
    limit: int = FOUND_MAX,
) -> Sequence[Mapping[str, Any]]:
    """The partners that `viewer` may see, by name, as rows: the columns of the registry, `group`, `group_name`,
    `program`, `program_name`, `currency`, `program_share_bps` and `codes` (how many are active)."""
    rows = store.find(
        db,
        search=search.replace("\0", "").strip(),
        statuses=status,
        types=type,
        regions=region,
        programs=program,
        only=seen_by(viewer),
        by_email="admin" in viewer.roles,
        limit=min(limit, FOUND_MAX),
    )
    return [_shown_to(viewer, row) for row in rows]


def one(db: Connection, viewer: Viewer, partner_id: int) -> Mapping[str, Any]:
    """One partner, as `find` gives it. A partner that the viewer may not see is not there at all."""
    only = seen_by(viewer)
    row = store.one(db, partner_id) if only is None or partner_id in only else None
    if row is None:
        raise NotFound("There is no such partner; search for its name.")
    return _shown_to(viewer, row)


def counts(db: Connection, viewer: Viewer) -> Mapping[str, int]:
    """How many partners there are of each status, zeros included."""
    return dict.fromkeys(rules.STATUSES, 0) | store.statuses(db, seen_by(viewer))


def ids_of(db: Connection, names: Iterable[str]) -> dict[str, int]:
    """The ids of those of `names` (codes, or names as a file gives them) that the registry knows."""
    codes = {name: rules.code_of(name) for name in names}
    known = store.ids_of(db, list(codes.values()))
    return {name: known[code] for name, code in codes.items() if code in known}


def history(db: Connection, viewer: Viewer, partner_id: int, *, limit: int = 100) -> Sequence[Mapping[str, Any]]:
    """What was done to a partner and its codes, newest first: at, actor, act, before, after."""
    require(viewer, "admin")
    return store.history(db, _subject(partner_id), limit)


def seen_by(viewer: Viewer) -> frozenset[int] | None:
    """The partners whose rows the viewer may see; None means all of them."""
    require(viewer, "partner", "admin", "analyst", "executive")
    return None if viewer.sees_all_partners else viewer.partner_ids


# ── within ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _step(
    db: Connection,
    viewer: Viewer,
    partner_id: int,
    version: int,
    *,
    act: str,
    then: str,
    why: str | None = None,
    only_from: str | None = None,
) -> Partner:
    require(viewer, "admin")
    row = _seen(db, partner_id, version)
    rules.step(row["status"], then)
    if only_from and row["status"] != only_from:
        raise rules.ForbiddenStep(f"This partner is {row['status']}, not {only_from}; reload the page.")
    return _write(db, viewer, row, act, {"status": then}, why=why)


def _seen(db: Connection, partner_id: int, version: int) -> Mapping[str, Any]:
    """The partner as it stands, if that is still what the form showed."""
    row = store.one(db, partner_id)
    if row is None:
        raise NotFound("There is no such partner; search for its name.")
    if row["version"] != version:
        raise StaleForm(
            f"Somebody changed {row['name']} in the meantime; look at it again, then repeat what you meant."
        )
    return row


def _write(
    db: Connection,
    viewer: Viewer,
    row: Mapping[str, Any],
    act: str,
    values: Mapping[str, Any],
    *,
    why: str | None = None,
) -> Partner:
    before, after = audit.changed(row, values)
    if not after:
        return Partner.from_row(row)
    saved = store.change(db, row["id"], row["version"], after)
    if saved is None:
        raise StaleForm(f"Somebody changed {row['name']} at this moment; look at it again, then repeat what you meant.")
    _record(db, viewer, act, row["id"], before=before, after=after | ({"reason": why} if why else {}))
    return Partner.from_row(saved)


def _resolved(db: Connection, fields: Mapping[str, Any], *, was_in: int | None = None) -> dict[str, Any]:
    """Checked fields, with group and program as ids. `was_in` is the program that the partner is in."""
    values = rules.checked({name: value for name, value in fields.items() if name not in ("group", "program")})
    if "group" in fields:
        group = _named_by(db, "group", fields["group"])
        values["group_id"] = group and group["id"]
    if "program" in fields:
        program = _named_by(db, "program", fields["program"])
        values["program_id"] = program and program["id"]
        if program and program["status"] == "closed" and program["id"] != was_in:
            raise rules.BadPartner(f"The program {program['name']} is closed; choose another, or open it again.")
    return values


def _named_by(db: Connection, what: str, code: Any) -> Mapping[str, Any] | None:
    """The group or program of a code; None where none is named."""
    if not code:
        return None
    row = (store.group_of if what == "group" else store.program_of)(db, str(code).replace("\0", ""))
    if row is None:
        raise rules.BadPartner(f"There is no {what} {shown(str(code))}; make it first, or leave it empty.")
    return row


def _named(code: str, name: str, type: str) -> dict[str, Any]:
    return rules.checked({"code": code, "name": name, "type": type, "status": "pending"})


def _shown_to(viewer: Viewer, row: Mapping[str, Any]) -> Mapping[str, Any]:
    is_theirs = "partner" in viewer.roles and row["id"] in viewer.partner_ids
    return row if is_theirs or "admin" in viewer.roles else {**row, **PRIVATE}


def _record(db: Connection, viewer: Viewer, act: str, partner_id: int, **rows: Any) -> None:
    audit.record(db, viewer, act, _subject(partner_id), **rows)


def _subject(partner_id: int) -> str:
    return f"partner:{partner_id}"
