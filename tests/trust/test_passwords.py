"""Passwords and second factors: what may be chosen, and what is right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from core.trust import passwords
from core.trust.passwords import WeakPassword

AT = datetime(2026, 11, 21, 12, 0, 10, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("eleven chars", ""),
        ("elevenchars", "at least 12"),
        ("", "at least 12"),
        ("x y" * 100, "at most 200"),
        ("ana@example.com", "e-mail"),
        ("my ana@example.com!", "e-mail"),
        ("aaaaaaaaaaaaaaaa", "guessed"),
        ("123456789012", "guessed"),
    ],
)
def test_a_password_is_long_enough_and_not_the_address(password: str, why: str) -> None:
    if not why:
        passwords.check(password, email="ana@example.com")
        return
    with pytest.raises(WeakPassword, match=why):
        passwords.check(password, email="ana@example.com")


def test_only_the_right_password_matches() -> None:
    kept = passwords.seal("four words of mine")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(kept, "four words of mine")
    assert not passwords.matches(kept, "four words of mine ")
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("no hash at all", "four words of mine")


def test_the_way_a_keyboard_composes_a_letter_makes_no_difference() -> None:
    assert passwords.matches(passwords.seal("caf\u00e9 caf\u00e9 caf\u00e9"), "cafe\u0301 cafe\u0301 cafe\u0301")


def test_a_longer_text_that_begins_with_the_password_does_not_match() -> None:
    longest = "ab cd" * 40
    assert passwords.matches(passwords.seal(longest), longest)
    assert not passwords.matches(passwords.seal(longest), longest + "!")


@pytest.mark.parametrize(("seconds", "is_right"), [(0, True), (-30, True), (30, True), (-60, False), (60, False)])
def test_a_code_is_good_for_its_own_step_and_one_on_either_side(seconds: int, is_right: bool) -> None:
    code = pyotp.TOTP(SECRET).at(AT + timedelta(seconds=seconds))
    assert (passwords.step_of(SECRET, code, AT) is not None) is is_right


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "½23456", "-12345", "12345.6"])
def test_what_is_not_six_ascii_digits_is_no_code(code: str) -> None:
    assert passwords.step_of(SECRET, code, AT) is None


def test_spaces_within_a_code_do_not_matter() -> None:
    code = pyotp.TOTP(SECRET).at(AT)
    assert passwords.step_of(SECRET, f" {code[:3]} {code[3:]} ", AT) is not None
