"""Signing in with an account of ours: what Streamlit is told, how often one may try, and whether one is right."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection

from core.errors import Refusal
from core.settings import Settings
from core.trust import audit, passwords, vault
from core.trust.vault import Vault
from core.viewer import SYSTEM
from data.store import people as people_store
from data.store import sessions as store

DEMO_DOMAIN = "@demo.example"
"""Addresses of the demo's people: their password is no secret, so that only the demo lets them in."""

CLIENT = "millrace"
WAIT = timedelta(minutes=15)
FAILURES_MAX = 5
FAILURES_MAX_ORIGIN = 50
"""A whole office may share an address; a guesser who tries many accounts from one is stopped all the same."""


class SignInFailed(Refusal):
    """Address, password or code were not right. Never says which, nor whether there is such an account."""

    code = "sign_in_failed"
    status = 401


class TooManyAttempts(Refusal):
    code = "too_many_attempts"
    status = 429


@dataclass(frozen=True, slots=True)
class Account:
    """What signing in needs to know of an account; without `person_id` there is none, and everything fails alike."""

    person_id: UUID | None
    name: str
    status: str
    password_hash: str | None
    has_second_factor: bool


NO_ACCOUNT = Account(None, "", "", None, False)


# ── what Streamlit is told ─────────────────────────────────────────────────────────────────────────────────────────


def provider(settings: Settings) -> Literal["local", "corp"]:
    """The provider that `st.login` is called with: the company's own where it is set, else our accounts."""
    return "corp" if settings.oidc else "local"


def streamlit_secrets(db: Connection, settings: Settings) -> dict[str, Any]:
    """The secrets for `st.App(secrets=…)`: the one cookie secret of all replicas, and who signs people in."""
    cookie = vault.house_secret(db, vault.of(settings), "cookie_secret", lambda: secrets.token_hex(32).encode())
    how = {"scope": "openid email profile", "prompt": "login"}
    if settings.oidc:
        told: dict[str, Any] = {
            "client_id": settings.oidc.client_id,
            "client_secret": settings.oidc.client_secret,
            "server_metadata_url": f"{settings.oidc.issuer.rstrip('/')}/.well-known/openid-configuration",
        }
    else:
        told = {
            "client_id": CLIENT,
            "client_secret": client_secret(db, settings),
            "server_metadata_url": f"{inside_url(settings)}/idp/inside/openid-configuration",
        }
    section = {"redirect_uri": callback_url(settings), "cookie_secret": cookie.decode()}
    return {"auth": {**section, provider(settings): {**told, "client_kwargs": how}}}


def client_secret(db: Connection, settings: Settings) -> str:
    made = vault.house_secret(db, vault.of(settings), "client_secret", lambda: secrets.token_urlsafe(32).encode())
    return made.decode()


def callback_url(settings: Settings) -> str:
    return f"{settings.public_url}/oauth2callback"


def inside_url(settings: Settings) -> str:
    """How this process reaches itself, whatever proxy stands before it: the token exchange never leaves the machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(settings.address, settings.address)  # noqa: S104
    path = "/" + settings.public_url.split("://", 1)[-1].partition("/")[2]
    return f"http://{host}:{settings.port}{path}".rstrip("/")


# ── how often somebody may try ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts that did not succeed, so far."""

    count: int
    last_at: datetime
    locked_until: datetime | None

    def is_locked(self, at: datetime) -> bool:
        return self.locked_until is not None and at < self.locked_until


def another(before: Attempts, at: datetime, limit: int) -> Attempts:
    """The count with one more attempt; the last one that is allowed locks those after it for fifteen minutes."""
    is_new_start = at - before.last_at > WAIT or before.locked_until is not None
    count = 1 if is_new_start else before.count + 1
    return Attempts(count, at, at + WAIT if count >= limit else None)


def count_attempt(db: Connection, email: str, origin: str, at: datetime) -> datetime | None:
    """Count an attempt before anything is compared; when it may not be made, the time from which it may.

    To be committed whatever comes of the attempt: guesses that run side by side are counted one by one,
    and an address that nobody has is counted like any other.
    """
    store.forget_old_attempts(db, at)
    opens_at: datetime | None = None
    for key, limit in keys(email, origin).items():
        row = store.lock_attempts(db, key)
        before = Attempts(row["count"], row["last_at"], row["locked_until"])
        if before.is_locked(at):
            opens_at = max(filter(None, (opens_at, before.locked_until)))
            continue
        after = another(before, at, limit)
        store.save_attempts(db, key, count=after.count, last_at=after.last_at, locked_until=after.locked_until)
        if after.locked_until and key.startswith("email:"):
            _note_lock(db, email, origin, after.locked_until)
    return opens_at


def give_back(db: Connection, email: str, origin: str, at: datetime) -> None:
    """Take one attempt off the count: the password was right, the second factor is still to come."""
    for key in keys(email, origin):
        row = store.lock_attempts(db, key)
        store.save_attempts(db, key, count=max(0, row["count"] - 1), last_at=at, locked_until=None)


def forget_attempts(db: Connection, email: str, origin: str, at: datetime) -> None:
    """They are in: the address starts anew, and the origin has this attempt back."""
    give_back(db, email, origin, at)
    store.forget_attempts(db, email_key(email))


def refuse_until(opens_at: datetime | None, at: datetime) -> None:
    if opens_at is not None:
        minutes = max(1, -(-int((opens_at - at).total_seconds()) // 60))
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        raise TooManyAttempts(f"Too many attempts. Try again in {wait}, after {opens_at:%H:%M} UTC.")


def keys(email: str, origin: str) -> dict[str, int]:
    """What attempts are counted under, and how many may fail."""
    return {email_key(email): FAILURES_MAX, f"origin:{network(origin)}": FAILURES_MAX_ORIGIN}


def email_key(email: str) -> str:
    return f"email:{hashlib.sha256(email.encode()).hexdigest()}"


def network(origin: str) -> str:
    """The address that attempts are counted under; of IPv6 its /64, within which one customer moves freely."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return origin[:100]
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def _note_lock(db: Connection, email: str, origin: str, until: datetime) -> None:
    if person := people_store.by_email(db, email):
        note = {"locked_until": until, "from": origin}
        audit.record(db, SYSTEM, "person.locked", f"person:{person['id']}", after=note)


# ── whether they are right ─────────────────────────────────────────────────────────────────────────────────────────


def account(db: Connection, settings: Settings, email: str) -> Account:
    """The account of this address, or one that nothing fits."""
    is_elsewhere = email.endswith(DEMO_DOMAIN) and not settings.demo
    person = None if is_elsewhere else people_store.by_email(db, email)
    held = people_store.secrets(db, person["id"]) if person else None
    if person is None or held is None:
        return NO_ACCOUNT
    has_second_factor = held["totp_sealed"] is not None
    return Account(person["id"], person["name"], person["status"], held["password_hash"], has_second_factor)


def check_password(known: Account, password: str) -> UUID:
    """The person whose password this is. The same work is done, and the same sentence said, where there is nobody."""
    if not passwords.matches(known.password_hash, password) or known.person_id is None:
        raise SignInFailed(
            "That e-mail and password do not match an account. After five attempts, sign-in waits fifteen minutes."
        )
    if known.status != "active":
        raise SignInFailed("This account is disabled; ask an admin to enable it under People.")
    return known.person_id


def renew_hash(db: Connection, known: Account, password: str) -> None:
    """Keep the password under today's parameters, now that it is at hand."""
    if known.person_id and known.password_hash and passwords.is_outdated(known.password_hash):
        people_store.change(db, known.person_id, {"password_hash": passwords.seal(password)})


def check_second_factor(db: Connection, ring: Vault, person_id: UUID, code: str, at: datetime) -> None:
    """Refuse a code that is not right now, or that was used before."""
    held = people_store.secrets(db, person_id)
    if held is not None and held["totp_sealed"] is not None:
        secret = ring.open(held["totp_sealed"], totp_purpose(person_id)).decode()
        step = passwords.step_of(secret, code, at)
        if step is not None and people_store.use_step(db, person_id, step):
            return
    raise SignInFailed("That code is not right, or was used before; wait for the next one and type it in.")


def totp_purpose(person_id: UUID) -> str:
    return f"person.totp:{person_id}"
