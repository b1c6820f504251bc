"""Sessions: who arrives with which token, and how each session ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, select, update

from core.trust import sessions
from core.trust.sessions import SessionEnded, SessionExpired, SignedOut, Unwelcome
from core.viewer import Viewer
from data import tables
from data.store import people as people_store

LOCAL = "http://127.0.0.1:8555/idp"


def claims(subject: object, **changed: Any) -> dict[str, Any]:
    at = int(datetime.now(UTC).timestamp())
    told = {"iss": LOCAL, "sub": str(subject), "provider": "local", "sid": uuid4().hex, "iat": at, "exp": at + 43200}
    return {**told, "auth_time": at, "amr": ["pwd"], "name": "Ana Able", **changed}


def company_claims(subject: str = "8f2", **changed: Any) -> dict[str, Any]:
    told = {"provider": "corp", "iss": "https://id.example.com", "email": "ana@example.com", "email_verified": True}
    return claims(subject, **{**told, **changed})


def age(db: Connection, viewer: Viewer, **columns: timedelta) -> None:
    """Move times of the session back, as if it had stood that long."""
    moved = {name: tables.session.c[name] - by for name, by in columns.items()}
    db.execute(update(tables.session).where(tables.session.c.id == viewer.session_id).values(moved))


def test_a_sign_in_becomes_a_viewer_with_roles_and_partners(
    db: Connection, add_person: Callable[..., UUID], add_partner: Callable[..., int]
) -> None:
    partner = add_partner(db)
    person = add_person(db, "partner", "analyst", partner=partner)
    viewer = sessions.arrive(db, claims(person, amr=["pwd", "otp", "mfa"]), agent="Firefox/1", origin="10.0.0.9")
    assert (viewer.person_id, viewer.roles, viewer.partner_ids) == (person, {"partner", "analyst"}, {partner})
    assert viewer.factors == {"pwd", "otp", "mfa"}
    assert viewer.origin == "10.0.0.9"


def test_the_same_token_is_the_same_session_and_another_token_is_another(
    db: Connection, add_person: Callable[..., UUID]
) -> None:
    token = claims(add_person(db, "admin"))
    one, two = sessions.arrive(db, token), sessions.arrive(db, token)
    other = sessions.arrive(db, {**token, "sid": "another"})
    assert one.session_id == two.session_id != other.session_id


def test_a_change_of_roles_shows_at_the_next_rerun(db: Connection, add_person: Callable[..., UUID]) -> None:
    person = add_person(db, "admin")
    token = claims(person)
    assert sessions.arrive(db, token).roles == {"admin"}
    people_store.change(db, person, {"roles": ["executive"]})
    assert sessions.arrive(db, token).roles == {"executive"}


def test_a_disabled_person_is_refused_at_once(db: Connection, add_person: Callable[..., UUID]) -> None:
    person = add_person(db, "admin")
    token = claims(person)
    sessions.arrive(db, token)
    people_store.change(db, person, {"status": "disabled"})
    with pytest.raises(Unwelcome, match="disabled"):
        sessions.arrive(db, token)
    with pytest.raises(Unwelcome, match="disabled"):
        sessions.arrive(db, claims(person))


def test_a_person_whose_account_was_reset_is_told_to_use_the_link(
    db: Connection, add_person: Callable[..., UUID]
) -> None:
    person = add_person(db, "admin")
    token = claims(person)
    sessions.arrive(db, token)
    people_store.change(db, person, {"status": "invited"})
    with pytest.raises(Unwelcome, match="link"):
        sessions.arrive(db, token)


def test_a_session_that_was_ended_stays_ended(db: Connection, add_person: Callable[..., UUID]) -> None:
    token = claims(add_person(db, "admin"))
    viewer = sessions.arrive(db, token)
    sessions.sign_out(db, viewer)
    for _ in range(2):
        with pytest.raises(SessionEnded):
            sessions.arrive(db, token)


def test_an_hour_without_activity_ends_a_session(db: Connection, add_person: Callable[..., UUID]) -> None:
    token = claims(add_person(db, "admin"))
    viewer = sessions.arrive(db, token)
    age(db, viewer, seen_at=timedelta(minutes=59))
    sessions.arrive(db, token, is_activity=False)
    age(db, viewer, seen_at=timedelta(minutes=2))
    with pytest.raises(SessionExpired, match="hour"):
        sessions.arrive(db, token)


def test_activity_keeps_a_session_and_watching_does_not(db: Connection, add_person: Callable[..., UUID]) -> None:
    token = claims(add_person(db, "admin"))
    viewer = sessions.arrive(db, token)
    seen = select(tables.session.c.seen_at).where(tables.session.c.id == viewer.session_id)
    age(db, viewer, seen_at=timedelta(minutes=30))
    long_ago = db.execute(seen).scalar_one()
    sessions.arrive(db, token, is_activity=False)
    assert db.execute(seen).scalar_one() == long_ago
    sessions.arrive(db, token)
    just_now = db.execute(seen).scalar_one()
    assert just_now > long_ago
    sessions.arrive(db, token)
    assert db.execute(seen).scalar_one() == just_now, "written once a minute at most"


def test_twelve_hours_end_a_session_however_busy(db: Connection, add_person: Callable[..., UUID]) -> None:
    token = claims(add_person(db, "admin"))
    viewer = sessions.arrive(db, token)
    age(db, viewer, created_at=timedelta(hours=12, minutes=1))
    with pytest.raises(SessionExpired, match="twelve hours"):
        sessions.arrive(db, token)


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24 * 20])
def test_an_old_cookie_begins_no_session(db: Connection, add_person: Callable[..., UUID], minutes: int) -> None:
    issued = int((datetime.now(UTC) - timedelta(minutes=minutes)).timestamp())
    token = claims(add_person(db, "admin"), iat=issued, exp=issued + 60 * 60 * 24 * 30)
    with pytest.raises(SessionExpired):
        sessions.arrive(db, token)


def test_an_expired_token_begins_no_session(db: Connection, add_person: Callable[..., UUID]) -> None:
    with pytest.raises(SessionExpired):
        sessions.arrive(db, claims(add_person(db, "admin"), exp=int(datetime.now(UTC).timestamp()) - 1))


@pytest.mark.parametrize(
    "changed",
    [{"iat": "soon"}, {"iat": None}, {"exp": float("nan")}, {"iat": 10**30}, {"amr": 7}, {"sub": "not-an-id"}],
)
def test_claims_that_cannot_be_meant_are_refused_with_a_sentence(db: Connection, changed: dict[str, Any]) -> None:
    with pytest.raises(SignedOut):
        sessions.arrive(db, claims(uuid4(), **changed))


def test_claims_without_an_issuer_are_nobody(db: Connection) -> None:
    with pytest.raises(SignedOut):
        sessions.arrive(db, {"is_logged_in": True, "email": "admin@example.com"})


# ── the company's own provider ─────────────────────────────────────────────────────────────────────────────────────


def test_an_invited_person_is_bound_to_their_company_identity_once(
    db: Connection, add_person: Callable[..., UUID]
) -> None:
    person = add_person(db, "analyst", email="ana@example.com", password="", status="invited")
    assert sessions.arrive(db, company_claims("8f2")).person_id == person
    assert sessions.arrive(db, company_claims("8f2", email="new-name@example.com")).person_id == person
    with pytest.raises(Unwelcome, match="invite"):
        sessions.arrive(db, company_claims("another-subject"))


def test_an_address_that_the_provider_did_not_verify_binds_nobody(
    db: Connection, add_person: Callable[..., UUID]
) -> None:
    add_person(db, "admin", email="ana@example.com", password="", status="invited")
    for vouched in (False, "false", None, 0):
        with pytest.raises(Unwelcome):
            sessions.arrive(db, company_claims(email_verified=vouched))


def test_a_stranger_from_the_company_is_told_to_ask_for_an_invitation(db: Connection) -> None:
    with pytest.raises(Unwelcome, match="ask an admin to invite you"):
        sessions.arrive(db, company_claims(email="stranger@example.com"))
    with pytest.raises(Unwelcome):
        sessions.arrive(db, company_claims(email=None))


def test_a_disabled_person_is_not_bound(db: Connection, add_person: Callable[..., UUID]) -> None:
    add_person(db, "admin", email="ana@example.com", status="disabled")
    with pytest.raises(Unwelcome):
        sessions.arrive(db, company_claims())


def test_the_subject_of_another_issuer_is_somebody_else(db: Connection, add_person: Callable[..., UUID]) -> None:
    add_person(db, "admin", email="ana@example.com", password="", status="invited")
    sessions.arrive(db, company_claims("8f2"))
    with pytest.raises(Unwelcome):
        sessions.arrive(db, company_claims("8f2", iss="https://evil.example.net", email="other@example.com"))


def test_a_company_subject_that_looks_like_a_local_account_is_not_one(
    db: Connection, add_person: Callable[..., UUID]
) -> None:
    victim = add_person(db, "admin")
    with pytest.raises(Unwelcome):
        sessions.arrive(db, company_claims(str(victim), iss=LOCAL, email="stranger@example.com"))


# ── several sessions, and step-up ──────────────────────────────────────────────────────────────────────────────────


def test_ending_the_other_sessions_leaves_this_one(db: Connection, add_person: Callable[..., UUID]) -> None:
    person = add_person(db, "admin")
    here, there = claims(person), claims(person)
    viewer = sessions.arrive(db, here)
    sessions.arrive(db, there)
    assert len(sessions.mine(db, viewer)) == 2
    assert sessions.end_others(db, viewer) == 1
    sessions.arrive(db, here)
    with pytest.raises(SessionEnded):
        sessions.arrive(db, there)


@pytest.mark.parametrize(
    ("amr", "seconds", "is_fresh"),
    [
        (["pwd", "otp", "mfa"], 10, True),
        (["pwd", "otp", "mfa"], 301, False),
        (["pwd"], 10, False),
        (["hwk"], 300, True),
        (["mfa"], -10, False),
    ],
)
def test_a_step_up_is_a_second_factor_within_five_minutes(amr: list[str], seconds: int, is_fresh: bool) -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    signed_in_at = at - timedelta(seconds=seconds)
    viewer = Viewer(uuid4(), "", "", frozenset(), signed_in_at=signed_in_at, factors=frozenset(amr))
    assert sessions.step_up_is_fresh(viewer, at) is is_fresh
