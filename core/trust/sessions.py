"""Sessions: from the ID token of a sign-in to the viewer, and an end for each: idle, in time, or by hand.

The login cookie of a browser lasts for weeks; what counts is the session's row, which every rerun asks for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from core.errors import Refusal
from core.periods import now
from core.trust import audit
from core.viewer import Viewer
from data.store import people as people_store
from data.store import sessions as store

IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)
"""NIST SP 800-63B-4 asks for an hour idle and 24 in all at AAL2; approvers of money sign in twice a day."""
FRESH = timedelta(minutes=5)
"""A token begins a session within this time of its making, or never: an old cookie brings nothing back."""
STEP_UP = timedelta(minutes=5)
STRONG = frozenset({"otp", "hwk", "mfa"})


class SignedOut(Refusal):
    """Nobody is signed in here any more; the page shows the sentence and offers to sign in again."""

    code = "signed_out"
    status = 401


class SessionEnded(SignedOut):
    code = "session_ended"


class SessionExpired(SignedOut):
    code = "session_expired"


class Unwelcome(SignedOut):
    """A sign-in that was right at the provider, by somebody who has no place here."""

    code = "unwelcome"
    status = 403


@dataclass(frozen=True, slots=True)
class Token:
    """What a verified ID token says."""

    is_local: bool
    issuer: str
    subject: str
    key: str
    issued_at: datetime
    expires_at: datetime
    auth_time: datetime
    amr: tuple[str, ...]
    email: str
    name: str


def arrive(
    db: Connection, claims: Mapping[str, Any], *, agent: str = "", origin: str = "", is_activity: bool = True
) -> Viewer:
    """The viewer behind verified ID token claims, as they stand now; begins the session when the token is new.

    Asked on every rerun: one look-up where the session stands. A tab that only watches passes
    `is_activity=False`, so that an open window nobody touches does end.
    """
    token, at = read(claims), now()
    row = store.with_person(db, token.key) or _begin(db, token, agent, origin, at)
    judge(row, at)
    if is_activity and at - row["seen_at"] > timedelta(minutes=1):
        store.seen(db, row["id"], at)
    return viewer_of(row, origin)


def read(claims: Mapping[str, Any]) -> Token:
    """The claims that matter, or SignedOut where they cannot be meant."""
    try:
        issuer, subject, issued = str(claims["iss"]), str(claims["sub"]), int(claims["iat"])
        words = [issuer, subject, str(claims.get("sid", "")), str(issued)]
        email = str(claims.get("email") or "").strip().lower()
        return Token(
            is_local=claims.get("provider") == "local",
            issuer=issuer,
            subject=subject,
            key=hashlib.sha256("|".join(words).encode()).hexdigest(),
            issued_at=datetime.fromtimestamp(issued, UTC),
            expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
            auth_time=datetime.fromtimestamp(int(claims.get("auth_time") or issued), UTC),
            amr=tuple(str(method) for method in claims.get("amr") or ()),
            email="" if str(claims.get("email_verified", True)).lower() != "true" else email,
            name=str(claims.get("name") or email)[:120],
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise SignedOut("This sign-in cannot be read; sign in again.") from None


def judge(session: Mapping[str, Any], at: datetime) -> None:
    """Refuse a session that was ended, slept too long, lasted too long, or whose person may not come in."""
    refuse_inactive(session["status"])
    if session["revoked_at"] is not None:
        raise SessionEnded("You have been signed out. Sign in to go on.")
    if at - session["created_at"] > LONGEST:
        raise SessionExpired("A session lasts twelve hours at most. Sign in to go on.")
    if at - session["seen_at"] > IDLE:
        raise SessionExpired("You were signed out after an hour without activity. Sign in to go on.")


def refuse_inactive(status: str) -> None:
    if status == "disabled":
        raise Unwelcome("This account is disabled; ask an admin to enable it under People.")
    if status != "active":
        raise Unwelcome("This account waits to be set up; use the link that an admin gave you, or ask for a new one.")


def viewer_of(session: Mapping[str, Any], origin: str) -> Viewer:
    return Viewer(
        person_id=session["person_id"],
        name=session["name"],
        email=session["email"],
        roles=frozenset(session["roles"]),
        partner_ids=frozenset(session["partner_ids"]),
        session_id=session["id"],
        signed_in_at=session["auth_time"],
        factors=frozenset(session["amr"]),
        origin=origin,
    )


def step_up_is_fresh(viewer: Viewer, at: datetime) -> bool:
    """Whether the viewer signed in within five minutes and with a second factor or a hardware key."""
    return (
        viewer.signed_in_at is not None
        and timedelta(0) <= at - viewer.signed_in_at <= STEP_UP
        and bool(viewer.factors & STRONG)
    )


def sign_out(db: Connection, viewer: Viewer) -> None:
    if viewer.session_id is not None and store.revoke(db, viewer.session_id, now()):
        audit.record(db, viewer, "session.ended", f"person:{viewer.person_id}")


def end_token(db: Connection, claims: Mapping[str, Any]) -> None:
    """End the session of this ID token: its bearer signs out at the provider."""
    store.revoke_token(db, read(claims).key, now())


def mine(db: Connection, viewer: Viewer) -> Sequence[Mapping[str, Any]]:
    """The viewer's live sessions, the latest first."""
    at = now()
    rows = store.of_person(db, viewer.person_id, at - IDLE)
    return [row for row in rows if at - row["created_at"] <= LONGEST]


def end_others(db: Connection, viewer: Viewer) -> int:
    """End the viewer's sessions on other browsers and devices; says how many that were."""
    ended = store.revoke_all(db, viewer.person_id, now(), but=viewer.session_id)
    if ended:
        audit.record(db, viewer, "person.sessions_ended", f"person:{viewer.person_id}", after={"ended": ended})
    return ended


def _begin(db: Connection, token: Token, agent: str, origin: str, at: datetime) -> Mapping[str, Any]:
    """A session row for a token seen for the first time, if it is a new one and its person has a place here."""
    if not (abs(at - token.issued_at) <= FRESH and token.expires_at > at):
        raise SessionExpired("Your last sign-in is over. Sign in to go on.")
    person = _local(db, token) if token.is_local else _from_company(db, token, origin)
    refuse_inactive(person["status"])
    row = {"person_id": person["id"], "token_key": token.key, "amr": list(token.amr), "auth_time": token.auth_time}
    is_new = store.begin(db, {**row, "agent": agent[:300], "origin": origin[:100]})
    begun = store.with_person(db, token.key)
    if begun is None:
        raise SignedOut("This sign-in could not be kept; sign in again.")
    if is_new:
        audit.record(db, viewer_of(begun, origin), "session.began", f"person:{person['id']}", after={"amr": token.amr})
    return begun


def _local(db: Connection, token: Token) -> Mapping[str, Any]:
    try:
        person = people_store.get(db, UUID(token.subject))
    except ValueError:
        person = None
    if person is None:
        raise Unwelcome("This account is no longer here; ask an admin to invite you.")
    return person


def _from_company(db: Connection, token: Token, origin: str) -> Mapping[str, Any]:
    """The person bound to this identity; an invited one is bound once, by the address that the provider vouches for."""
    if bound := people_store.by_identity(db, token.issuer, token.subject):
        return bound
    invited = people_store.by_email(db, token.email) if token.email else None
    person = people_store.lock(db, invited["id"]) if invited else None
    if bound := people_store.by_identity(db, token.issuer, token.subject):
        return bound  # another tab was a moment faster
    if person is None or person["has_identity"] or person["status"] == "disabled":
        raise Unwelcome("Your company signed you in, but nobody here has invited you; ask an admin to invite you.")
    people_store.bind(db, person["id"], token.issuer, token.subject)
    people_store.change(db, person["id"], {"status": "active"})
    them = Viewer(person["id"], person["name"], person["email"], frozenset(person["roles"]), origin=origin)
    audit.record(db, them, "person.bound", f"person:{person['id']}", after={"issuer": token.issuer})
    return {**person, "status": "active"}
