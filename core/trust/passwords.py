"""Passwords and second factors: what may be chosen, how it is kept, and whether what was typed is right."""

from __future__ import annotations

import hmac
import threading
import unicodedata
from datetime import datetime

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import Refusal

LENGTH_MIN, LENGTH_MAX = 12, 200
STEP_SECONDS = 30
STEPS_EITHER_WAY = 1
"""A second factor's code is good for its own 30 seconds and the 30 on either side: clocks differ."""

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
"""Argon2id with 19 MiB and two passes: the first choice of OWASP's Password Storage Cheat Sheet."""
AT_ONCE = threading.BoundedSemaphore(4)
"""A crowd that signs in at once waits for one another instead of filling the memory."""
NOBODY = HASHER.hash("nobody has this password")
"""What is checked where there is no account, so that the answer takes as long as where there is one."""


class WeakPassword(Refusal):
    """A password that is too short or too easily guessed."""

    code = "weak_password"
    status = 422


def check(password: str, *, email: str) -> None:
    """Refuse a password that may not be chosen for this account."""
    chosen, address = normal(password), email.casefold()
    if len(chosen) < LENGTH_MIN:
        raise WeakPassword(
            f"Choose a password of at least {LENGTH_MIN} characters; three or four random words do well."
        )
    if len(chosen) > LENGTH_MAX:
        raise WeakPassword(f"Choose a password of at most {LENGTH_MAX} characters.")
    if chosen.casefold() in (address, address.partition("@")[0]) or address in chosen.casefold():
        raise WeakPassword("Choose a password that does not hold your e-mail address.")
    if len(set(chosen)) < 5 or chosen.isdigit():
        raise WeakPassword("This password is easily guessed; mix more characters, or use three or four random words.")


def normal(password: str) -> str:
    """The same characters however a keyboard composes them."""
    return unicodedata.normalize("NFC", password)


def seal(password: str) -> str:
    """The Argon2id hash to keep."""
    with AT_ONCE:
        return HASHER.hash(normal(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; takes as long for an account that does not exist."""
    try:
        with AT_ONCE:
            HASHER.verify(password_hash or NOBODY, normal(password)[:LENGTH_MAX])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None and len(normal(password)) <= LENGTH_MAX


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


def new_secret() -> str:
    return pyotp.random_base32()


def enrolment(secret: str, email: str) -> str:
    """The otpauth:// address that an authenticator app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Millrace")


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The 30-second step that this code belongs to, if it is right now; the caller lets each step serve once."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdigit() and len(typed) == 6):
        return None
    now = int(at.timestamp()) // STEP_SECONDS
    for step in range(now - STEPS_EITHER_WAY, now + STEPS_EITHER_WAY + 1):
        if hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step), typed):
            return step
    return None
