"""Money from text, rounding and conversion, against FACTS and the published currency list."""

from __future__ import annotations

from fractions import Fraction

import iso4217
import pytest

from core.money import EXPONENTS, Money, NotMoney, convert, exact, major_text, minor_of, round_half_away


@pytest.mark.parametrize(
    "text",
    ["NaN", "inf", "-inf", "1_000", "1,000", "١٢٣", "1e5", "0x10", "", " ", "1.2.3", "--1", "１２", "1 000", "9" * 31],
)
def test_what_float_or_decimal_would_accept_is_refused(text: str) -> None:
    with pytest.raises(NotMoney):
        exact(text)


def test_an_amount_takes_the_exponent_of_its_currency() -> None:
    assert minor_of(exact("1940"), "JPY") == 1940
    assert minor_of(exact("12.5"), "USD") == 1250
    assert minor_of(exact("5.125"), "KWD") == 5125


def test_more_digits_than_the_currency_has_are_refused_or_rounded_half_away() -> None:
    with pytest.raises(NotMoney, match="2 digits"):
        minor_of(exact("1.005"), "USD")
    assert minor_of(exact("1.005"), "USD", rounding=True) == 101
    assert minor_of(exact("-1.005"), "USD", rounding=True) == -101
    assert minor_of(exact("1.0049"), "USD", rounding=True) == 100


def test_an_amount_beyond_reason_is_refused() -> None:
    with pytest.raises(NotMoney, match="larger"):
        minor_of(Fraction(10**30), "USD")


def test_a_currency_that_does_not_exist_is_refused() -> None:
    with pytest.raises(NotMoney, match="XYZ"):
        Money(1, "XYZ")


def test_two_currencies_never_add() -> None:
    with pytest.raises(NotMoney):
        Money(1, "USD") + Money(1, "EUR")
    assert Money(150, "USD") + Money(-50, "USD") == Money(100, "USD")


def test_conversion_rounds_once() -> None:
    # FACTS case 5: €33.33 × 15 % × 1.0850 is 5.42; rounding twice would give 5.43.
    assert round_half_away(Fraction(3333) * Fraction(15, 100) * Fraction("1.0850")) == 542
    assert convert(1940, "JPY", "USD", Fraction("0.0067")) == 1300
    assert convert(-5125, "KWD", "USD", Fraction("3.25")) == -1666


def test_plain_text_of_an_amount() -> None:
    assert major_text(-1234505, "USD") == "-12345.05"
    assert major_text(5, "KWD") == "0.005"
    assert major_text(-7, "JPY") == "-7"


def test_our_exponents_are_those_of_the_published_list() -> None:
    published = {c.code: c.exponent for c in iso4217.Currency if c.exponent is not None}
    ours = {code: digits for code, digits in EXPONENTS.items() if code in published}
    assert ours == {code: published[code] for code in ours}
    missing = set(published) - set(EXPONENTS) - {"ZWL", "CUC", "HRK", "ANG", "BGN", "SLL", "XXX", "XTS"}
    assert not {code for code in missing if not code.startswith("X")}
