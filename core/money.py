"""Money is an integer of minor units beside its ISO 4217 currency; it is never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from core.errors import Refusal

NANO = 1_000_000_000
"""Nano-units in one major unit: 1 nano = 10⁻⁹ of the currency's major unit."""

MINOR_MAX = 10**15
"""No amount exceeds this many minor units (ten trillion dollars), so that bigint sums of many rows stay safe."""

# Currencies in use whose minor unit is not a hundredth, then those with a hundredth (ISO 4217, list one, 2026).
_EXPONENT_0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_EXPONENT_3 = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENT_4 = "CLF UYW"
_EXPONENT_2 = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU
CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR
NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
EXPONENTS: dict[str, int] = {
    code: exponent
    for exponent, codes in ((0, _EXPONENT_0), (2, _EXPONENT_2), (3, _EXPONENT_3), (4, _EXPONENT_4))
    for code in codes.split()
}
"""Digits after the point by currency (ISO 4217 list one; `tests/test_money.py` compares it with the published list)."""

# [0-9], not \d: \d also matches Arabic and other digits, which float() and Decimal() would accept.
_DECIMAL = re.compile(r"([+-]?)([0-9]{1,30})(?:\.([0-9]{1,30}))?\Z")


class NotMoney(Refusal):
    """A text that is not an exact decimal number, or not in this currency."""

    code = "not_money"
    status = 422


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An exact amount: `minor` units of `currency`. Amounts of two currencies never add."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise NotMoney(f"{self.currency} and {other.currency} do not add up; ask for one currency.")
        return other.minor


def exponent(currency: str) -> int:
    """Digits after the point of `currency` (JPY 0, USD 2, KWD 3); refuses a currency that does not exist."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise NotMoney(
            f"{shown(currency)} is not an ISO 4217 currency; write a code such as USD, EUR or JPY."
        ) from None


def exact(text: str) -> Fraction:
    """The exact value of a plain decimal such as `-1234.505`.

    Refuses everything that `float` and `Decimal` are too kind to: NaN, inf, exponents, `1_000`,
    thousands separators, non-ASCII digits and white space within.
    """
    found = _DECIMAL.match(text.strip(" \t"))
    if not found:
        raise NotMoney(f"{shown(text)} is not a plain number; write digits with a point, such as 1234.50.")
    sign, whole, part = found.groups()
    part = part or ""
    value = Fraction(int(whole + part), 10 ** len(part))
    return -value if sign == "-" else value


def minor_of(value: Fraction, currency: str, *, rounding: bool = False) -> int:
    """Major units to integer minor units of `currency`.

    Without `rounding`, more digits than the currency has are refused; with it they are rounded
    once, half away from zero. Amounts beyond `MINOR_MAX` are refused.
    """
    digits = exponent(currency)
    scaled = value * 10**digits
    if scaled.denominator != 1 and not rounding:
        raise NotMoney(f"{currency} has {digits} digits after the point; round the amount or choose rounding.")
    minor = round_half_away(scaled)
    if abs(minor) > MINOR_MAX:
        raise NotMoney("The amount is larger than any that Millrace keeps (10 trillion); check the column.")
    return minor


def round_half_away(value: Fraction) -> int:
    """The nearest integer; halves go away from zero (2.5 → 3, −2.5 → −3)."""
    magnitude = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return magnitude if value >= 0 else -magnitude


def convert(minor: int, source: str, target: str, rate: Fraction) -> int:
    """`minor` units of `source` in minor units of `target` at `rate` major per major, rounded once."""
    return round_half_away(Fraction(minor) * rate * Fraction(10) ** (exponent(target) - exponent(source)))


def major_text(minor: int, currency: str) -> str:
    """The plain decimal of an amount, for files and logs: `major_text(-1234505, "USD")` is `-12345.05`."""
    digits = exponent(currency)
    sign, magnitude = ("-" if minor < 0 else ""), abs(minor)
    if not digits:
        return f"{sign}{magnitude}"
    return f"{sign}{magnitude // 10**digits}.{magnitude % 10**digits:0{digits}d}"


def shown(text: str) -> str:
    """A foreign value as it may stand in a sentence: quoted, without control characters, at most 40 long."""
    clean = "".join(c if c.isprintable() else "?" for c in text[:41])
    return f"“{clean[:40]}…”" if len(clean) > 40 else f"“{clean}”"
