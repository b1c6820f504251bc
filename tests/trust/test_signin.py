"""Attempts to sign in: counted before they are looked at, the same for accounts that exist and those that do not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from sqlalchemy import Connection

from core.settings import Settings
from core.trust import passwords, signin, vault
from core.trust.signin import Attempts, SignInFailed, TooManyAttempts
from data.postgres import transaction
from data.store import people as store

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EMAIL, ORIGIN = "ana@example.com", "10.1.2.3"


def test_the_fifth_attempt_is_looked_at_and_locks_the_next() -> None:
    counted = Attempts(0, AT, None)
    for _ in range(5):
        assert not counted.is_locked(AT)
        counted = signin.another(counted, AT, 5)
    assert counted.is_locked(AT + timedelta(minutes=14))
    assert not counted.is_locked(AT + timedelta(minutes=15))


def test_after_the_wait_or_a_quiet_quarter_of_an_hour_the_count_starts_anew() -> None:
    locked = Attempts(5, AT, AT + timedelta(minutes=15))
    assert signin.another(locked, AT + timedelta(minutes=15), 5).count == 1
    assert signin.another(Attempts(4, AT, None), AT + timedelta(minutes=16), 5).count == 1
    assert signin.another(Attempts(3, AT, None), AT + timedelta(minutes=14), 5).count == 4


def test_an_address_that_nobody_has_is_locked_like_any_other(db: Connection, add_person: Callable[..., UUID]) -> None:
    add_person(db, "admin", email=EMAIL)
    opened = {
        email: [signin.count_attempt(db, email, ORIGIN, AT) for _ in range(6)] for email in (EMAIL, "no@example.com")
    }
    assert opened[EMAIL] == opened["no@example.com"] == [None] * 5 + [AT + timedelta(minutes=15)]


def test_the_sentence_says_when_and_nothing_else() -> None:
    with pytest.raises(TooManyAttempts, match=r"^Too many attempts. Try again in 15 minutes, after 12:15 UTC.$"):
        signin.refuse_until(AT + timedelta(minutes=15), AT)
    signin.refuse_until(None, AT)


def test_one_origin_may_not_try_many_accounts(db: Connection) -> None:
    for number in range(signin.FAILURES_MAX_ORIGIN):
        assert signin.count_attempt(db, f"{number}@example.com", "2001:db8::1", AT) is None
    assert signin.count_attempt(db, "one-more@example.com", "2001:db8::ffff", AT) is not None  # the same /64
    assert signin.count_attempt(db, "one-more@example.com", "2001:db8:1::1", AT) is None


def test_who_gets_in_starts_anew_and_the_origin_has_the_attempt_back(db: Connection) -> None:
    for _ in range(4):
        signin.count_attempt(db, EMAIL, ORIGIN, AT)
    signin.forget_attempts(db, EMAIL, ORIGIN, AT)
    for _ in range(5):
        assert signin.count_attempt(db, EMAIL, ORIGIN, AT) is None


def test_guesses_side_by_side_are_counted_one_by_one(database: Any) -> None:
    def guess(_: int) -> bool:
        with transaction() as db:
            return signin.count_attempt(db, EMAIL, ORIGIN, AT) is None

    with ThreadPoolExecutor(12) as together:
        assert sum(together.map(guess, range(36))) == signin.FAILURES_MAX


def test_an_account_that_is_not_there_costs_the_same_work_and_says_the_same(
    db: Connection, settings: Settings, add_person: Callable[..., UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_person(db, "admin", email=EMAIL)
    checked: list[str] = []
    verify = passwords.HASHER.__class__.verify

    def watched(self: Any, kept: str, password: str) -> bool:
        checked.append(kept.rpartition("$")[0].rpartition("$")[0])  # the parameters: algorithm, memory, passes
        return bool(verify(self, kept, password))

    monkeypatch.setattr(passwords.HASHER.__class__, "verify", watched)
    said = []
    for email in (EMAIL, "no@example.com"):
        with pytest.raises(SignInFailed) as refusal:
            signin.check_password(signin.account(db, settings, email), "wrong wrong wrong")
        said.append(refusal.value.sentence)
    assert said[0] == said[1]
    assert checked[0] == checked[1]
    assert len(checked) == 2


def test_an_invited_person_without_a_password_cannot_sign_in(
    db: Connection, settings: Settings, add_person: Callable[..., UUID]
) -> None:
    add_person(db, "admin", email=EMAIL, password="", status="invited")
    for password in ("", "nobody has this password"):
        with pytest.raises(SignInFailed):
            signin.check_password(signin.account(db, settings, EMAIL), password)


def test_that_an_account_is_disabled_is_told_only_to_who_knows_the_password(
    db: Connection, settings: Settings, add_person: Callable[..., UUID]
) -> None:
    add_person(db, "admin", email=EMAIL, status="disabled")
    known = signin.account(db, settings, EMAIL)
    with pytest.raises(SignInFailed, match="do not match"):
        signin.check_password(known, "wrong")
    with pytest.raises(SignInFailed, match="disabled"):
        signin.check_password(known, "four words of mine")


def test_the_demos_people_sign_in_only_in_the_demo(
    db: Connection, settings: Settings, add_person: Callable[..., UUID]
) -> None:
    person = add_person(db, "admin", email="admin@demo.example", password="millrace-demo")
    assert signin.account(db, settings, "admin@demo.example") == signin.NO_ACCOUNT
    known = signin.account(db, replace(settings, demo=True), "admin@demo.example")
    assert signin.check_password(known, "millrace-demo") == person


def test_each_code_of_the_second_factor_serves_once(
    db: Connection, settings: Settings, add_person: Callable[..., UUID]
) -> None:
    person, ring, secret = add_person(db, "admin"), vault.of(settings), passwords.new_secret()
    sealed = ring.seal(secret.encode(), signin.totp_purpose(person))
    store.change(db, person, {"totp_sealed": sealed})
    now, before = pyotp.TOTP(secret).at(AT), pyotp.TOTP(secret).at(AT - timedelta(seconds=30))
    signin.check_second_factor(db, ring, person, now, AT)
    for again in (now, before):
        with pytest.raises(SignInFailed):
            signin.check_second_factor(db, ring, person, again, AT)


def test_a_second_factor_moved_to_another_person_opens_nothing(
    db: Connection, settings: Settings, add_person: Callable[..., UUID]
) -> None:
    mine, theirs, ring = add_person(db, "admin"), add_person(db, "admin"), vault.of(settings)
    secret = passwords.new_secret()
    store.change(db, theirs, {"totp_sealed": ring.seal(secret.encode(), signin.totp_purpose(mine))})
    with pytest.raises(vault.WrongKey):
        signin.check_second_factor(db, ring, theirs, pyotp.TOTP(secret).at(AT), AT)


def test_a_password_kept_under_weaker_parameters_is_kept_anew(
    db: Connection, settings: Settings, add_person: Callable[..., UUID]
) -> None:
    from argon2 import PasswordHasher

    person = add_person(db, "admin", email=EMAIL)
    store.change(db, person, {"password_hash": PasswordHasher(1, 8192, 1).hash("four words of mine")})
    signin.renew_hash(db, signin.account(db, settings, EMAIL), "four words of mine")
    kept = (store.secrets(db, person) or {})["password_hash"]
    assert "m=19456,t=2,p=1" in kept
    assert passwords.matches(kept, "four words of mine")


def test_streamlit_is_told_the_same_secrets_every_time(db: Connection, settings: Settings, company: Settings) -> None:
    one, two = signin.streamlit_secrets(db, settings), signin.streamlit_secrets(db, settings)
    assert one == two
    assert one["auth"]["redirect_uri"] == "http://127.0.0.1:8555/oauth2callback"
    assert one["auth"]["local"]["client_kwargs"] == {"scope": "openid email profile", "prompt": "login"}
    corp = signin.streamlit_secrets(db, company)["auth"]
    assert corp["cookie_secret"] == one["auth"]["cookie_secret"]
    assert corp["corp"]["server_metadata_url"] == "https://id.example.com/.well-known/openid-configuration"
    assert "local" not in corp


@pytest.mark.parametrize(
    ("changed", "inside"),
    [
        ({}, "http://127.0.0.1:8555"),
        ({"public_url": "https://revenue.example.com"}, "http://127.0.0.1:8555"),
        ({"public_url": "https://example.com/millrace", "address": "0.0.0.0"}, "http://127.0.0.1:8555/millrace"),
        ({"address": "::"}, "http://[::1]:8555"),
    ],
)
def test_the_server_reaches_itself_without_its_proxy(settings: Settings, changed: dict[str, Any], inside: str) -> None:
    assert signin.inside_url(replace(settings, **changed)) == inside
