"""Referral codes and coupons: issued to a partner, used up to a limit, retired; never given to somebody else."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from core.errors import Conflict, NotFound
from core.money import shown
from core.partners import registry, rules
from core.periods import now
from core.trust import audit
from core.viewer import Viewer, require
from data.store import partners as store

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""For codes that we make up: without 0 and o, 1, i and l, which people confuse when they read a code aloud."""
MADE_LENGTH = 8

KINDS = {"link": "Link", "coupon": "Coupon", "referral": "Referral reward"}
USE_LIMITS: Mapping[str, int | None] = {"link": None, "coupon": None, "referral": 10}
"""How often a code of each kind serves unless its issuer says otherwise; None: without limit."""

LISTED_MAX = 2_000


class CodeEnded(Conflict):
    """The code was retired, has expired, or has no use left."""

    code = "code_ended"


def issue(
    db: Connection,
    viewer: Viewer,
    partner_id: int,
    *,
    code: str | None = None,
    kind: str = "link",
    landing_url: str | None = None,
    campaign: str = "",
    use_limit: int | None = None,
    expires_at: datetime | None = None,
) -> Mapping[str, Any]:
    """Give a partner a code: `code`, or one that we make up. Codes are unique whatever their case.

    A link leads to `landing_url`. Without `use_limit` the kind's own holds: ten for referral rewards, else none.
    """
    require(viewer, "admin")
    kind = rules.chosen("kind of code", KINDS)(kind)
    partner = store.hold(db, partner_id)
    if partner is None:
        raise NotFound("There is no such partner; search for its name.")
    if partner["status"] == "terminated":
        raise rules.ForbiddenStep(f"{partner['name']} is terminated and gets no new codes.")
    values = {
        "kind": kind,
        "landing_url": rules.landing_url(landing_url),
        "campaign": rules.line("a campaign", campaign, 60),
        "use_limit": _limit(use_limit, kind),
        "expires_at": _future(expires_at),
    }
    if kind == "link" and values["landing_url"] is None:
        raise rules.BadPartner("A link needs the page that it leads to; write its address.")
    theirs = {"partner_id": partner_id, **values}
    row = _given(db, code, theirs) if code else _made(db, theirs)
    _record(db, viewer, "referral_code.issued", row, after={"code": row["code"], **values})
    return row


def retire(db: Connection, viewer: Viewer, code: str) -> None:
    """End a code. Its link says so from now on; sales that named it stay with the partner."""
    require(viewer, "admin")
    row = _known(db, code)
    if not store.retire(db, row["id"]):
        raise CodeEnded(f"The code {shown(row['code'])} is retired already; reload the page.")
    before, after = {"code": row["code"], "status": "active"}, {"status": "retired"}
    _record(db, viewer, "referral_code.retired", row, before=before, after=after)


def use(db: Connection, code: str, *, times: int = 1, at: datetime | None = None) -> Mapping[str, Any]:
    """Count a use of a code, as its order is taken in. However many come at once, the limit holds.

    Returns the code's row; refuses one that is unknown, retired, expired or used up.
    """
    moment = at or now()
    known = _known(db, code)
    row = store.use(db, known["code"], times, moment)
    if row is None:
        raise CodeEnded(why_ended(_known(db, code), moment) or "This code has fewer uses left than that.")
    return row


def why_ended(row: Mapping[str, Any], at: datetime) -> str | None:
    """What to tell somebody who comes with a code that no longer serves; None for one that does."""
    if row["status"] == "retired":
        return "This code has been retired."
    if row["expires_at"] is not None and row["expires_at"] <= at:
        return "This code has expired."
    if row["use_limit"] is not None and row["uses"] >= row["use_limit"]:
        return "This code has been used as often as it may be."
    return None


def codes(db: Connection, viewer: Viewer, *, partner_id: int | None = None) -> Sequence[Mapping[str, Any]]:
    """The codes that the viewer may see, newest first, of one partner or of all."""
    only = registry.seen_by(viewer)
    if partner_id is not None:
        only = frozenset({partner_id}) & (only if only is not None else {partner_id})
    return store.codes(db, only=only, limit=LISTED_MAX)


def partners_of(db: Connection, texts: Iterable[str]) -> dict[str, int]:
    """Whom codes stand for, by the code's stored spelling; retired and expired ones too, since sales keep them."""
    plain = {rules.normal_code(text) for text in texts}
    return store.partners_of(db, [text for text in plain if rules.is_referral_code(text)])


def _given(db: Connection, code: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    text = rules.referral_code(code)
    row = store.issue(db, {"code": text, **values})
    if row is None:
        raise Conflict(f"The code {shown(text)} is taken; choose another, or leave it empty and get one made up.")
    return row


def _made(db: Connection, values: Mapping[str, Any]) -> Mapping[str, Any]:
    while True:
        text = "".join(secrets.choice(ALPHABET) for _ in range(MADE_LENGTH))
        row = store.issue(db, {"code": text, **values})
        if row is not None:
            return row


def _known(db: Connection, code: str) -> Mapping[str, Any]:
    text = rules.normal_code(code)
    row = store.code(db, text) if rules.is_referral_code(text) else None
    if row is None:
        raise NotFound(f"There is no code {shown(code)}; check its spelling.")
    return row


def _limit(given: int | None, kind: str) -> int | None:
    return USE_LIMITS[kind] if given is None else rules.whole("A use limit", given, 1, 1_000_000_000)


def _future(at: datetime | None) -> datetime | None:
    if at is not None and (at.tzinfo is None or at <= now()):
        raise rules.BadPartner("A code expires in the future; choose a later time, with its zone.")
    return at


def _record(db: Connection, viewer: Viewer, act: str, row: Mapping[str, Any], **rows: Any) -> None:
    audit.record(db, viewer, act, f"partner:{row['partner_id']}", **rows)
