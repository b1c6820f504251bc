"""What a partner may be called, may become and may be promised."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.partners import rules
from core.partners.rules import BadPartner, ForbiddenStep
from data.tables import PARTNER_TYPES

ALLOWED = [(now, then) for now, ways in rules.STEPS.items() for then in sorted(ways)]
FORBIDDEN = [(now, then) for now in rules.STEPS for then in rules.STATUSES if then not in rules.STEPS[now]]


@pytest.mark.parametrize(("now", "then"), ALLOWED)
def test_an_allowed_step_is_taken(now: str, then: str) -> None:
    assert rules.step(now, then) == then


@pytest.mark.parametrize(("now", "then"), FORBIDDEN)
def test_every_other_step_is_refused_with_what_to_do(now: str, then: str) -> None:
    with pytest.raises(ForbiddenStep, match=r"reload|can become|enrol a new"):
        rules.step(now, then)


def test_there_are_six_allowed_steps_and_none_leaves_terminated() -> None:
    assert len(ALLOWED) == 6
    assert rules.STEPS["terminated"] == frozenset()


def test_the_types_are_those_that_the_database_knows() -> None:
    assert tuple(rules.TYPES) == PARTNER_TYPES


@pytest.mark.parametrize("text", ["ab", "acme", "acme-travel-2", "a" * 60, "42"])
def test_a_short_lower_case_word_is_a_code(text: str) -> None:
    assert rules.code(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "a", "Acme", "acme travel", "-acme", "acme-", "acme--x", "a" * 61, "äcme", "acme_x", "١٢", None, "ac\nme"],
)
def test_what_is_no_code_is_refused(text: Any) -> None:
    with pytest.raises(BadPartner, match="lower-case"):
        rules.code(text)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("United Kingdom", "united-kingdom"),
        ("EIRE", "eire"),
        ("  Café  Noir & Söhne ", "cafe-noir-sohne"),
        ("Straße 7", "strasse-7"),
    ],
)
def test_a_name_in_a_file_stands_for_a_code(name: str, code: str) -> None:
    assert rules.code_of(name) == code


@given(st.text(min_size=1, max_size=100))
def test_every_name_gives_a_code_that_the_registry_takes(name: str) -> None:
    code = rules.code_of(name)
    assert rules.code(code) == code
    assert rules.code_of(code) == code, "a code names itself"


def test_names_that_lose_letters_are_still_told_apart() -> None:
    assert len({rules.code_of(name) for name in ("日本 Store", "中国 Store", "Store")}) == 3
    assert len({rules.code_of(name) for name in ("日本", "中国", "!", "?")}) == 4


@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.com",
        "https://localhost/v1",
        "https://127.0.0.1",
        "https://127.1",
        "https://2130706433",
        "https://0x7f.1",
        "https://0x7f000001",
        "https://10.0.0.8:8443",
        "https://192.168.1.1",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://224.0.0.1/",
        "https://db.internal",
        "https://printer.local",
        "https://intranet",
        "https://user:secret@api.example.com",
        "https://api.example.com@evil.example.com",
        "https://api.example.com/?next=x",
        "https://api.example.com/#x",
        "https://api.example.com:99999",
        "https://api.example.com\\@evil",
        "https://api.example.com /v1",
        "https://api.example.com\r\nHost: x",
        "ftp://api.example.com",
        "javascript:alert(1)",
        "//api.example.com",
        "https://",
        "https://-api.example.com",
        "https://api.example.com/" + "x" * 300,
    ],
)
def test_an_address_that_the_gateway_must_not_call_is_refused(address: str) -> None:
    with pytest.raises(BadPartner, match="https address of a public host"):
        rules.api_base(address)


@pytest.mark.parametrize(
    "address", ["https://api.example.com/v1", "https://8.8.8.8:8443", "https://[2606:4700::1111]/x"]
)
def test_a_public_https_address_is_kept(address: str) -> None:
    assert rules.api_base(address + "/") == address
    assert rules.api_base("") is None


@pytest.mark.parametrize("text", ["anna@example.com", "A.Nna+tag@mail.example.co.uk"])
def test_a_plausible_address_is_kept_in_lower_case(text: str) -> None:
    assert rules.email(text) == text.lower()


@pytest.mark.parametrize(
    "text", ["anna", "anna@", "@example.com", "a@b", "a b@example.com", "a@@example.com", "a@example..com", "<a@b.com>"]
)
def test_an_address_that_no_letter_would_reach_is_refused(text: str) -> None:
    with pytest.raises(BadPartner, match="e-mail"):
        rules.email(text)


@pytest.mark.parametrize("share", [-1, 10_001, True, 12.5, "10"])
def test_a_share_outside_0_to_100_percent_is_refused(share: Any) -> None:
    with pytest.raises(BadPartner, match="between 0 and 100 percent"):
        rules.share_bps(share)


def test_a_share_may_be_nothing_everything_or_the_programs() -> None:
    assert [rules.share_bps(share) for share in (0, 10_000, None, "")] == [0, 10_000, None, None]


def test_a_type_is_known_however_it_is_separated() -> None:
    assert rules.checked({"type": "White label", "region": "EU"}) == {"type": "white_label", "region": "eu"}
    with pytest.raises(BadPartner, match="choose one of affiliate"):
        rules.checked({"type": "reseller"})
    with pytest.raises(BadPartner, match="choose one of global"):
        rules.checked({"region": "mars"})


def test_a_field_that_partners_do_not_have_is_refused() -> None:
    with pytest.raises(BadPartner, match="no field “balance”"):
        rules.checked({"balance": 1})


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "two\nlines", "bell\x07", "null\x00"])
def test_a_name_is_one_line_that_can_be_read(name: str) -> None:
    with pytest.raises(BadPartner):
        rules.name(name)


@pytest.mark.parametrize(
    "value", ["[1]", "{", "[" * 100_000, {"a": float("nan")}, {"a": {1, 2}}, {"a": "x" * 20_001}, {"a": "\x00"}, 7]
)
def test_metadata_that_is_no_plain_object_is_refused(value: Any) -> None:
    with pytest.raises(BadPartner, match="Metadata"):
        rules.metadata(value)


def test_metadata_may_come_as_text() -> None:
    assert rules.metadata('{"contract": "C-17"}') == {"contract": "C-17"}
    assert rules.metadata("") == rules.metadata(None) == {}


def test_capabilities_are_words_each_once() -> None:
    assert rules.capabilities("orders.read, Webhooks orders.read") == ["orders.read", "webhooks"]
    with pytest.raises(BadPartner, match="capability"):
        rules.capabilities(["<script>"])
    with pytest.raises(BadPartner, match="at most 50"):
        rules.capabilities([f"c{i}" for i in range(51)])


@pytest.mark.parametrize("text", ["ab", "has space", "-abc", "a" * 41, "ünder", "a/b", "x?y=z"])
def test_a_referral_code_that_could_not_stand_in_a_link_is_refused(text: str) -> None:
    with pytest.raises(BadPartner, match="3 to 40"):
        rules.referral_code(text)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/offer", "ftp://x.example", "https://", "https://a b.example"])
def test_a_landing_page_is_a_web_address(url: str) -> None:
    with pytest.raises(BadPartner, match="web address"):
        rules.landing_url(url)


def test_a_landing_page_carries_no_password() -> None:
    with pytest.raises(BadPartner, match="before the @"):
        rules.landing_url("https://user:secret@shop.example.com")
