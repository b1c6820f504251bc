"""People: invitations, roles, one-time links, and the ends of access."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import Connection, select, update

from core.errors import NotAllowed
from core.settings import Settings
from core.trust import audit, passwords, people, vault
from core.trust.people import BadPerson, LastAdmin, LinkOver, OwnRights, PersonExists
from core.trust.sessions import SessionEnded
from core.trust.signin import SignInFailed
from core.viewer import Viewer
from data import tables
from data.store import people as store

SAFE = "three random words"


@pytest.fixture
def boss(db: Connection, add_person: Callable[..., UUID]) -> Viewer:
    person = add_person(db, "admin")
    return Viewer(person, "Bo Boss", "bo@example.com", frozenset({"admin"}), origin="test")


def invited(db: Connection, boss: Viewer, settings: Settings, **changed: Any) -> people.Invitation:
    asked: dict[str, Any] = {"email": "new@example.com", "name": "New Person", "roles": ["analyst"], **changed}
    return people.invite(db, boss, settings, **asked)


def token_of(made: people.Invitation | str | None) -> str:
    link = made.link if isinstance(made, people.Invitation) else made
    return str(link).partition("token=")[2]


def acts(db: Connection, boss: Viewer) -> list[str]:
    return [row["act"] for row in audit.latest(db, boss)]


def test_an_invited_person_gets_a_link_that_works_once(db: Connection, boss: Viewer, settings: Settings) -> None:
    made = invited(db, boss, settings, email=" New@Example.com ")
    assert str(made.link).startswith("http://127.0.0.1:8555/idp/setup?token=")
    link = people.open_link(db, token_of(made))
    ring = vault.of(settings)
    people.choose_password(db, ring, link, password=SAFE, code="", origin="test")
    person = store.get(db, made.person_id)
    assert person
    assert (person["email"], person["status"], person["has_password"]) == ("new@example.com", "active", True)
    with pytest.raises(LinkOver):
        people.open_link(db, token_of(made))
    with pytest.raises(LinkOver):
        people.choose_password(db, ring, link, password=SAFE, code="", origin="test")


def test_the_link_is_kept_only_as_a_hash_and_never_in_the_audit_trail(
    db: Connection, boss: Viewer, settings: Settings
) -> None:
    token = token_of(invited(db, boss, settings))
    kept = db.execute(select(tables.setup_token)).mappings().all()
    trail = audit.latest(db, boss)
    assert "person.invited" in [row["act"] for row in trail]
    assert token not in str(kept) + str(trail)


def test_a_link_runs_out_after_three_days(db: Connection, boss: Viewer, settings: Settings) -> None:
    made = invited(db, boss, settings)
    db.execute(update(tables.setup_token).values(expires_at=tables.setup_token.c.expires_at - timedelta(hours=73)))
    with pytest.raises(LinkOver, match="ask an admin"):
        people.open_link(db, token_of(made))


@pytest.mark.parametrize("token", ["", "x", "' or 1=1 --", "a" * 5000])
def test_a_link_that_never_was_is_refused(db: Connection, token: str) -> None:
    with pytest.raises(LinkOver):
        people.open_link(db, token)


@pytest.mark.parametrize(
    "changed",
    [
        {"email": "nobody"},
        {"email": "a@b"},
        {"email": "<script>@example.com"},
        {"email": "a b@example.com"},
        {"email": "a@example.com\r\nbcc: all@example.com"},
        {"email": f"{'a' * 250}@example.com"},
        {"email": "ａ@example.com"},
        {"name": "  "},
        {"name": "a\x00b"},
        {"name": "n" * 121},
        {"roles": []},
        {"roles": ["superuser"]},
        {"roles": ["partner"]},
        {"roles": ["partner"], "partner_ids": [999_999]},
    ],
)
def test_an_invitation_that_cannot_be_meant_is_refused(
    db: Connection, boss: Viewer, settings: Settings, changed: dict[str, Any]
) -> None:
    with pytest.raises(BadPerson):
        invited(db, boss, settings, **changed)


def test_nobody_is_invited_twice(db: Connection, boss: Viewer, settings: Settings) -> None:
    invited(db, boss, settings)
    with pytest.raises(PersonExists):
        invited(db, boss, settings, email="NEW@example.com")


def test_only_a_partner_has_partners(
    db: Connection, boss: Viewer, settings: Settings, add_partner: Callable[..., int]
) -> None:
    partner = add_partner(db)
    made = invited(db, boss, settings, roles=["partner"], partner_ids=[partner])
    person = store.get(db, made.person_id)
    assert person
    assert list(person["partner_ids"]) == [partner]
    people.change(db, boss, made.person_id, roles=["analyst"], partner_ids=[partner])
    person = store.get(db, made.person_id)
    assert person
    assert (person["roles"], list(person["partner_ids"])) == (["analyst"], [])


@pytest.mark.parametrize("role", ["partner", "analyst", "executive"])
def test_people_are_for_admins(db: Connection, boss: Viewer, settings: Settings, role: Any) -> None:
    other = replace(boss, roles=frozenset({role}))
    for act in (
        lambda: people.everybody(db, other),
        lambda: people.partner_choices(db, other),
        lambda: invited(db, other, settings),
        lambda: people.change(db, other, boss.person_id, roles=["admin"]),
        lambda: people.disable(db, other, boss.person_id),
        lambda: people.enable(db, other, boss.person_id),
        lambda: people.reset(db, other, settings, boss.person_id),
        lambda: people.end_sessions(db, other, boss.person_id),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_the_last_active_admin_stays(db: Connection, boss: Viewer, settings: Settings) -> None:
    invited(db, boss, settings, roles=["admin"])  # invited, not yet active: cannot let anybody in
    with pytest.raises(LastAdmin):
        people.disable(db, boss, boss.person_id)
    with pytest.raises(LastAdmin):
        people.change(db, boss, boss.person_id, roles=["analyst"])


def test_an_admin_does_not_take_their_own_access_away(
    db: Connection, boss: Viewer, settings: Settings, add_person: Callable[..., UUID]
) -> None:
    other = add_person(db, "admin")
    with pytest.raises(OwnRights):
        people.disable(db, boss, boss.person_id)
    with pytest.raises(OwnRights):
        people.change(db, boss, boss.person_id, roles=["analyst"])
    with pytest.raises(OwnRights):
        people.reset(db, boss, settings, boss.person_id)
    people.change(db, boss, boss.person_id, roles=["admin", "executive"])
    people.disable(db, boss, other)
    assert {"person.changed", "person.disabled"} <= set(acts(db, boss))


def test_disabling_ends_sessions_and_links_and_enabling_lets_them_sign_in_again(
    db: Connection, boss: Viewer, settings: Settings, add_person: Callable[..., UUID]
) -> None:
    from core.trust import sessions

    person = add_person(db, "analyst")
    row = {"person_id": person, "token_key": "k", "amr": [], "auth_time": sessions.now()}
    sessions.store.begin(db, row)
    people.password_link(db, replace(boss, person_id=person), settings)
    people.disable(db, boss, person)
    begun = sessions.store.with_person(db, "k")
    assert begun
    assert begun["revoked_at"] is not None
    assert not db.execute(select(tables.setup_token).where(tables.setup_token.c.person_id == person)).all()
    people.enable(db, boss, person)
    begun = sessions.store.with_person(db, "k")
    assert begun
    assert begun["status"] == "active"
    with pytest.raises(SessionEnded):
        sessions.judge(begun, sessions.now())


def test_a_reset_takes_password_and_second_factor_and_the_new_link_gives_them_back(
    db: Connection, boss: Viewer, settings: Settings, add_person: Callable[..., UUID]
) -> None:
    person, ring = add_person(db, "analyst"), vault.of(settings)
    store.change(db, person, {"totp_sealed": b"sealed", "totp_step": 1})
    first = people.reset(db, boss, settings, person)
    held = store.get(db, person)
    assert held
    assert (held["has_password"], held["has_second_factor"], held["status"]) == (False, False, "invited")
    second = people.reset(db, boss, settings, person)
    with pytest.raises(LinkOver):
        people.open_link(db, token_of(first))
    people.choose_password(db, ring, people.open_link(db, token_of(second)), password=SAFE, code="", origin="test")
    assert passwords.matches((store.secrets(db, person) or {})["password_hash"], SAFE)


def test_a_second_factor_counts_once_its_first_code_was_typed(db: Connection, boss: Viewer, settings: Settings) -> None:
    ring = vault.of(settings)
    made = invited(db, boss, settings)
    link = people.open_link(db, token_of(made))
    secret = people.proposed_secret(ring, link)
    assert secret == people.proposed_secret(ring, people.open_link(db, token_of(made)))
    with pytest.raises(SignInFailed, match="QR code"), db.begin_nested():
        people.choose_password(db, ring, link, password=SAFE, code="000000", origin="test")
    people.choose_password(db, ring, link, password=SAFE, code=pyotp.TOTP(secret).now(), origin="test")
    held = store.secrets(db, made.person_id)
    assert held
    assert secret.encode() not in held["totp_sealed"]
    assert ring.open(held["totp_sealed"], f"person.totp:{made.person_id}").decode() == secret


def test_in_a_company_an_invitation_needs_no_link(db: Connection, boss: Viewer, company: Settings) -> None:
    assert invited(db, boss, company).link is None


# ── the first admin ────────────────────────────────────────────────────────────────────────────────────────────────


def begin(db: Connection, settings: Settings, link: people.Link, **changed: str) -> None:
    typed = {"email": "first@example.com", "name": "First Admin", "password": SAFE, "code": "", **changed}
    people.become_first_admin(db, vault.of(settings), settings, link, **typed)


def test_while_nobody_can_sign_in_there_is_a_link_for_the_first_admin(db: Connection, settings: Settings) -> None:
    earlier, later = people.ensure_first_admin(db, settings), people.ensure_first_admin(db, settings)
    link, other = people.open_link(db, token_of(later)), people.open_link(db, token_of(earlier))
    begin(db, settings, link)
    person = store.by_email(db, "first@example.com")
    assert person
    assert (person["roles"], person["status"]) == (["admin"], "active")
    assert people.ensure_first_admin(db, settings) is None
    with pytest.raises(LinkOver, match="admin already"):
        people.open_link(db, token_of(earlier))
    with pytest.raises(LinkOver, match="admin already"):
        begin(db, settings, other, email="second@example.com")


def test_the_first_admins_password_is_held_to_the_same_rules(db: Connection, settings: Settings) -> None:
    link = people.open_link(db, token_of(people.ensure_first_admin(db, settings)))
    with pytest.raises(passwords.WeakPassword):
        begin(db, settings, link, password="short")


def test_in_a_company_the_first_admin_gives_their_address_and_signs_in_there(db: Connection, company: Settings) -> None:
    link = people.open_link(db, token_of(people.ensure_first_admin(db, company)))
    begin(db, company, link, password="")
    person = store.by_email(db, "first@example.com")
    assert person
    assert (person["status"], person["has_password"]) == ("invited", False)
    again = people.open_link(db, token_of(people.ensure_first_admin(db, company)))  # a slip of the pen locks nobody out
    begin(db, company, again, password="", email="first@example.org")


# ── the demo ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_demos_people_are_made_in_the_demo_only_and_once(
    db: Connection, settings: Settings, add_partner: Callable[..., int]
) -> None:
    add_partner(db, "acme")
    with pytest.raises(NotAllowed):
        people.demo_people(db, settings, partner_code="acme")
    demo = replace(settings, demo=True)
    made = people.demo_people(db, demo, partner_code="acme")
    assert people.demo_people(db, demo, partner_code="acme") == made
    assert [who.email for who in made] == [f"{who.roles[0]}@demo.example" for who in made]
    assert len(store.everybody(db)) == 4
