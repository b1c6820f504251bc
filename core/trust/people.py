"""People: who is invited, what they may see, the links that let them in, and how their access ends."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from core.errors import Conflict, NotAllowed, NotFound, Refusal
from core.money import shown
from core.periods import now
from core.settings import Settings
from core.trust import audit, passwords, signin
from core.trust.vault import Vault
from core.viewer import ROLES, SYSTEM, Role, Viewer, require
from data.store import people as store
from data.store import sessions as session_store

INVITATION_LIFE = timedelta(hours=72)
FIRST_ADMIN_LIFE = timedelta(hours=24)
OWN_LINK_LIFE = timedelta(minutes=15)

EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)

DEMO_PASSWORD = "millrace-demo"  # noqa: S105
DEMO_PEOPLE: tuple[tuple[Role, str], ...] = (
    ("executive", "Erin Executive"),
    ("admin", "Ada Admin"),
    ("analyst", "Alan Analyst"),
    ("partner", "Pat Partner"),
)


class BadPerson(Refusal):
    """An e-mail, a name, a role or a partner that cannot be meant."""

    code = "bad_person"
    status = 422


class PersonExists(Conflict):
    code = "person_exists"


class LastAdmin(Conflict):
    """Somebody must be able to let people in."""

    code = "last_admin"


class OwnRights(NotAllowed):
    """Nobody takes their own access away by a slip of the hand."""

    code = "own_rights"


class LinkOver(NotFound):
    """A one-time link that was used, has run out, or never was."""

    code = "link_over"
    status = 410


@dataclass(frozen=True, slots=True)
class Invitation:
    """A person who was let in. `link` is shown once; None where the company's own provider signs people in."""

    person_id: UUID
    email: str
    link: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """An open one-time link: what it is for, and for whom."""

    token_hash: str
    purpose: str
    person: Mapping[str, Any] | None

    @property
    def asks_current(self) -> bool:
        """Whether the person must prove the password they have: a borrowed session is not enough to change it."""
        return self.person is not None and bool(self.person["has_password"])

    @property
    def offers_second_factor(self) -> bool:
        return self.purpose == "second_factor" or not (self.person and self.person["has_second_factor"])


# ── what admins do ─────────────────────────────────────────────────────────────────────────────────────────────────


def everybody(db: Connection, viewer: Viewer) -> Sequence[Mapping[str, Any]]:
    """Everybody with roles, partners, status and when they were last seen."""
    require(viewer, "admin")
    return store.everybody(db)


def viewer_by_email(db: Connection, email: str) -> Viewer:
    """The eyes of an active person, for the command line of whoever runs the house (`millrace ask --as`)."""
    person = store.by_email(db, email.strip().lower())
    if person is None or person["status"] != "active":
        raise NotFound(f"Nobody active signs in as {shown(email)}; People lists everybody.")
    partner_ids = frozenset(person["partner_ids"])
    return Viewer(person["id"], person["name"], person["email"], frozenset(person["roles"]), partner_ids, origin="cli")


def partner_choices(db: Connection, viewer: Viewer) -> Sequence[Mapping[str, Any]]:
    require(viewer, "admin")
    return store.partners(db)


def invite(
    db: Connection,
    viewer: Viewer,
    settings: Settings,
    *,
    email: str,
    name: str,
    roles: Collection[str],
    partner_ids: Collection[int] = (),
) -> Invitation:
    """Make an account for somebody. Without a company provider they get a one-time link to choose a password."""
    require(viewer, "admin")
    address, called = checked_email(email), checked_name(name)
    rights = checked_rights(db, roles, partner_ids)
    if store.by_email(db, address):
        raise PersonExists(f"{address} is here already; find them in the list and change their roles there.")
    person_id = store.add(db, {"email": address, "name": called, "roles": sorted(rights.roles)})
    store.set_partners(db, person_id, rights.partner_ids)
    after = {"email": address, "name": called, **rights.facts()}
    audit.record(db, viewer, "person.invited", f"person:{person_id}", after=after)
    return _invitation(db, settings, person_id, address)


def change(
    db: Connection,
    viewer: Viewer,
    person_id: UUID,
    *,
    name: str | None = None,
    roles: Collection[str],
    partner_ids: Collection[int] = (),
) -> None:
    """Change what somebody may see; their open tabs follow within seconds."""
    require(viewer, "admin")
    rights = checked_rights(db, roles, partner_ids)
    admins = store.lock_active_admins(db)
    person = _locked(db, person_id)
    if "admin" in person["roles"] and "admin" not in rights.roles:
        _keep_an_admin(viewer, person, admins)
    called = person["name"] if name is None else checked_name(name)
    store.change(db, person_id, {"roles": sorted(rights.roles), "name": called})
    store.set_partners(db, person_id, rights.partner_ids)
    was = {"name": person["name"], "roles": sorted(person["roles"]), "partners": sorted(person["partner_ids"])}
    before, after = audit.changed(was, {"name": called, **rights.facts()})
    if after:
        audit.record(db, viewer, "person.changed", f"person:{person_id}", before=before, after=after)


def disable(db: Connection, viewer: Viewer, person_id: UUID) -> None:
    """Shut somebody out: their sessions end within seconds, and their links stop working."""
    require(viewer, "admin")
    admins = store.lock_active_admins(db)
    person = _locked(db, person_id)
    _keep_an_admin(viewer, person, admins)
    _set_status(db, viewer, person, "disabled", "person.disabled")
    store.drop_links(db, person_id)
    session_store.revoke_all(db, person_id, now())


def enable(db: Connection, viewer: Viewer, person_id: UUID) -> None:
    """Let somebody in again; they sign in as before, or with a new link where they never chose a password."""
    require(viewer, "admin")
    person = _locked(db, person_id)
    is_known = person["has_password"] or person["has_identity"]
    _set_status(db, viewer, person, "active" if is_known else "invited", "person.enabled")


def reset(db: Connection, viewer: Viewer, settings: Settings, person_id: UUID) -> Invitation:
    """Take away password, second factor and sessions, and give a new link: for a lost telephone or a lost password."""
    require(viewer, "admin")
    person = _locked(db, person_id)
    if person_id == viewer.person_id:
        raise OwnRights("Change your own password and second factor in the account menu, or ask another admin.")
    if person["status"] == "disabled":
        raise Conflict(f"{person['name']} is disabled; enable them first.")
    emptied = {"password_hash": None, "totp_sealed": None, "totp_step": None, "status": "invited"}
    store.change(db, person_id, emptied)
    store.unbind(db, person_id)
    session_store.revoke_all(db, person_id, now())
    audit.record(db, viewer, "person.reset", f"person:{person_id}")
    return _invitation(db, settings, person_id, person["email"])


def end_sessions(db: Connection, viewer: Viewer, person_id: UUID) -> int:
    """Sign somebody out everywhere, within seconds; says how many sessions that ended."""
    require(viewer, "admin")
    _locked(db, person_id)
    ended = session_store.revoke_all(db, person_id, now())
    audit.record(db, viewer, "person.sessions_ended", f"person:{person_id}", after={"ended": ended})
    return ended


def _keep_an_admin(viewer: Viewer, person: Mapping[str, Any], admins: frozenset[UUID]) -> None:
    if admins == {person["id"]}:
        raise LastAdmin(f"{person['name']} is the only active admin; make somebody else an admin first.")
    if person["id"] == viewer.person_id:
        raise OwnRights("Ask another admin to take your own access away.")


def _set_status(db: Connection, viewer: Viewer, person: Mapping[str, Any], status: str, act: str) -> None:
    if person["status"] == status:
        return
    store.change(db, person["id"], {"status": status})
    before, after = {"status": person["status"]}, {"status": status}
    audit.record(db, viewer, act, f"person:{person['id']}", before=before, after=after)


def _locked(db: Connection, person_id: UUID) -> Mapping[str, Any]:
    person = store.lock(db, person_id)
    if person is None:
        raise NotFound("This person is no longer here; load the page again.")
    return person


# ── what can be meant ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Rights:
    roles: frozenset[str]
    partner_ids: frozenset[int]

    def facts(self) -> dict[str, list[Any]]:
        return {"roles": sorted(self.roles), "partners": sorted(self.partner_ids)}


def checked_email(text: str) -> str:
    """The address in lower case, as accounts are found by it."""
    address = text.strip().lower()
    if len(address) > 254 or not EMAIL.fullmatch(address):
        raise BadPerson("This is not an e-mail address; write it like ana@example.com.")
    return address


def checked_name(text: str) -> str:
    called = " ".join(text.split())
    if not (0 < len(called) <= 120 and called.isprintable()):
        raise BadPerson("Write the person's name, in 120 characters at most.")
    return called


def checked_rights(db: Connection, roles: Collection[str], partner_ids: Collection[int]) -> Rights:
    """Known roles, at least one; a partner sees the rows of at least one partner, and nobody else of any."""
    if not roles or set(roles) - set(ROLES):
        raise BadPerson(f"Choose at least one of the roles {', '.join(ROLES)}.")
    theirs = frozenset(partner_ids) if "partner" in roles else frozenset()
    if "partner" in roles and not theirs:
        raise BadPerson("Choose the partners whose rows this person may see; the role partner needs at least one.")
    if theirs - {row["id"] for row in store.partners(db)}:
        raise BadPerson("One of these partners is no longer in the registry; load the page again and choose anew.")
    return Rights(frozenset(roles), theirs)


# ── one-time links ─────────────────────────────────────────────────────────────────────────────────────────────────


def ensure_first_admin(db: Connection, settings: Settings) -> str | None:
    """While nobody can sign in yet: a link, good once within a day, on which the first admin makes their account."""
    if _has_active_person(db):
        return None
    return _new_link(db, settings, None, "first_admin", FIRST_ADMIN_LIFE)


def has_people(db: Connection) -> bool:
    """Whether anybody has an account here yet."""
    return store.anybody(db, "invited", "active", "disabled")


def password_link(db: Connection, viewer: Viewer, settings: Settings) -> str:
    """A link on which the viewer changes their own password."""
    return _new_link(db, settings, viewer.person_id, "password", OWN_LINK_LIFE)


def second_factor_link(db: Connection, viewer: Viewer, settings: Settings) -> str:
    """A link on which the viewer sets up, or renews, their own second factor."""
    return _new_link(db, settings, viewer.person_id, "second_factor", OWN_LINK_LIFE)


def open_link(db: Connection, token: str) -> Link:
    """What an unused link is for; LinkOver for any other."""
    row = store.link(db, _hash(token)) if token else None
    person = store.get(db, row["person_id"]) if row and row["person_id"] else None
    is_over = row is None or row["used_at"] is not None or now() > row["expires_at"]
    if is_over or (person is not None and person["status"] == "disabled"):
        raise LinkOver("This link was used, or has run out; ask an admin for a new one.")
    if row["purpose"] == "first_admin" and _has_active_person(db):  # type: ignore[index]
        raise LinkOver("There is an admin already; sign in, or ask them to invite you.")
    return Link(_hash(token), row["purpose"], person)  # type: ignore[index]


def proposed_secret(ring: Vault, link: Link) -> str:
    """The second factor that this link offers: the same at each reload of its page, and nowhere stored."""
    return base64.b32encode(ring.derive(f"second factor {link.token_hash}", 20)).decode()


def become_first_admin(
    db: Connection, ring: Vault, settings: Settings, link: Link, *, email: str, name: str, password: str, code: str
) -> None:
    """Make the first admin's account; with a company provider they sign in there, by the address they give."""
    store.lock_first_admin(db)
    if _has_active_person(db):
        raise LinkOver("There is an admin already; sign in, or ask them to invite you.")
    address, called = checked_email(email), checked_name(name)
    row: dict[str, Any] = {"email": address, "name": called, "roles": ["admin"]}
    earlier = store.by_email(db, address)
    if earlier:
        store.change(db, earlier["id"], row)
    person_id = earlier["id"] if earlier else store.add(db, row)
    person = {**row, "id": person_id, "has_second_factor": False}
    if settings.oidc is None:
        _keep_password(db, person, password)
        _keep_second_factor(db, ring, link, person, code)
    _use(db, link)
    audit.record(db, SYSTEM, "person.first_admin", f"person:{person_id}", after={"email": address, "name": called})


def choose_password(db: Connection, ring: Vault, link: Link, *, password: str, code: str, origin: str) -> None:
    """Keep the password that was chosen on a link, and the second factor beside it; other sessions end."""
    if link.person is None:
        raise LinkOver("This link is not for a password; ask an admin for a new one.")
    _use(db, link)
    _keep_password(db, link.person, password)
    if link.offers_second_factor:
        _keep_second_factor(db, ring, link, link.person, code)
    session_store.revoke_all(db, link.person["id"], now())
    audit.record(db, _themselves(link.person, origin), "person.password_chosen", f"person:{link.person['id']}")


def choose_second_factor(db: Connection, ring: Vault, link: Link, *, code: str, origin: str) -> None:
    """Keep the second factor that a link offers, in place of the one before."""
    if link.person is None or not code.strip():
        raise signin.SignInFailed("Type the six digits that your authenticator app shows now.")
    _use(db, link)
    _keep_second_factor(db, ring, link, link.person, code)
    audit.record(db, _themselves(link.person, origin), "person.second_factor_chosen", f"person:{link.person['id']}")


def _keep_password(db: Connection, person: Mapping[str, Any], password: str) -> None:
    passwords.check(password, email=person["email"])
    store.change(db, person["id"], {"password_hash": passwords.seal(password), "status": "active"})


def _keep_second_factor(db: Connection, ring: Vault, link: Link, person: Mapping[str, Any], code: str) -> None:
    """Keep it once its first code was typed; no code leaves the account without one."""
    if not code.strip():
        return
    secret = proposed_secret(ring, link)
    step = passwords.step_of(secret, code, now())
    if step is None:
        raise signin.SignInFailed(
            "That code does not fit the QR code; type the six digits that your app shows now, or leave the field empty."
        )
    sealed = ring.seal(secret.encode(), signin.totp_purpose(person["id"]))
    store.change(db, person["id"], {"totp_sealed": sealed, "totp_step": step})


def _use(db: Connection, link: Link) -> None:
    if not store.use_link(db, link.token_hash, now()):
        raise LinkOver("This link was used a moment ago; sign in.")


def _has_active_person(db: Connection) -> bool:
    return store.anybody(db, "active")


def _invitation(db: Connection, settings: Settings, person_id: UUID, email: str) -> Invitation:
    link = None if settings.oidc else _new_link(db, settings, person_id, "password", INVITATION_LIFE)
    return Invitation(person_id, email, link, now() + INVITATION_LIFE)


def _new_link(db: Connection, settings: Settings, person_id: UUID | None, purpose: str, life: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    store.add_link(db, _hash(token), person_id, purpose, now() + life)
    return f"{settings.public_url}/idp/setup?token={token}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _themselves(person: Mapping[str, Any], origin: str) -> Viewer:
    return Viewer(person["id"], person["name"], person["email"], frozenset(person["roles"]), origin=origin)


# ── the demo ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    roles: tuple[Role, ...]
    email: str
    password: str


def demo_sign_ins() -> list[DemoSignIn]:
    """The demo's people, one a role, as the terminal and the sign-in screen list them."""
    return [DemoSignIn((role,), f"{role}{signin.DEMO_DOMAIN}", DEMO_PASSWORD) for role, _ in DEMO_PEOPLE]


def demo_people(db: Connection, settings: Settings, *, partner_code: str) -> list[DemoSignIn]:
    """Make the demo's people, the partner among them bound to the partner of this code; twice changes nothing."""
    if not settings.demo:
        raise NotAllowed("The demo's people have a known password; set MILLRACE_DEMO=1 to have them.")
    partner_ids = [row["id"] for row in store.partners(db) if row["code"] == partner_code]
    for role, name in DEMO_PEOPLE:
        email = f"{role}{signin.DEMO_DOMAIN}"
        if store.by_email(db, email) is None:
            rights = checked_rights(db, [role], partner_ids if role == "partner" else [])
            row = {"email": email, "name": name, "roles": [role], "status": "active"}
            person_id = store.add(db, {**row, "password_hash": passwords.seal(DEMO_PASSWORD)})
            store.set_partners(db, person_id, rights.partner_ids)
            audit.record(db, SYSTEM, "person.invited", f"person:{person_id}", after={"email": email, **rights.facts()})
    return demo_sign_ins()
