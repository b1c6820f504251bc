"""Here, and only here, money and numbers become text, in the reader's locale."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import MappingProxyType

import streamlit as st
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import (
    format_compact_currency,
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_symbol,
)

from core.compare import OTHER
from core.money import exponent

NONE = "–"
MARKUP = frozenset("\\`*_{}[]()<>#+-.!|~:$&=")
SHORTCODE = re.compile(r":(?=[\w+/-]+:)")
"""Where `:smile:` begins: it is read after escapes are, so an invisible joiner keeps it apart."""


@cache
def known(tag: str | None) -> str:
    """A locale that Babel knows for a browser's language tag; en_US for what it does not."""
    try:
        return str(Locale.parse((tag or "en-US").replace("_", "-"), sep="-"))
    except (UnknownLocaleError, ValueError, TypeError):
        return "en_US"


def locale() -> str:
    """The locale of the reader's browser."""
    return known(getattr(st.context, "locale", None))


def major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent(currency))


def money(minor: int | None, currency: str) -> str:
    """Exact, with all digits of the currency: $12,345.05."""
    if minor is None:
        return NONE
    shape = pattern(locale(), currency, exponent(currency))
    return format_currency(major(minor, currency), currency, shape, locale=locale(), currency_digits=False)


@cache
def pattern(tag: str, currency: str, digits: int) -> str:
    """How a locale writes money, with as many digits as we say: Babel's own lack some of ISO 4217's."""
    usual = Locale.parse(tag).currency_formats["standard"].pattern
    shape = re.sub(r"0\.0+", f"0.{'0' * digits}" if digits else "0", usual)
    return shape.replace("¤#", "¤\xa0#") if get_currency_symbol(currency, tag)[-1:].isalpha() else shape


def compact(minor: int | None, currency: str) -> str:
    """Short, for cards and axes: $1.40M."""
    if minor is None:
        return NONE
    value = major(minor, currency)
    if abs(value) < 1_000:
        return money(minor, currency)
    digits = 1 if abs(value) < 1_000_000 else 2
    return format_compact_currency(value, currency, locale=locale(), fraction_digits=digits)


def tick(minor: int, currency: str) -> str:
    """An axis label: no cents on round amounts."""
    value = major(minor, currency)
    if abs(value) < 1_000 and value == value.to_integral_value():
        return format_currency(value, currency, pattern(locale(), currency, 0), locale=locale(), currency_digits=False)
    return compact(minor, currency)


def count(value: float | None) -> str:
    return NONE if value is None else format_decimal(value, "#,##0", locale=locale())


def compact_count(value: float | None) -> str:
    if value is None:
        return NONE
    return count(value) if abs(value) < 100_000 else format_compact_decimal(value, locale=locale(), fraction_digits=1)


def percent(value: float | None, digits: int = 1) -> str:
    """A share of one as a percentage."""
    return NONE if value is None else format_percent(value, f"#,##0.{'0' * digits}%", locale=locale())


def day(value: date | None) -> str:
    return NONE if value is None else format_date(value, "medium", locale=locale())


def moment(value: datetime | None) -> str:
    return NONE if value is None else format_datetime(value, "medium", locale=locale()) + " UTC"


def days(since: date, last: date) -> str:
    """A range of days: Aug 24 – Nov 21, 2026."""
    if since == last:
        return day(last)
    if since.year == last.year:
        return f"{format_date(since, 'MMM d', locale=locale())} – {day(last)}"
    return f"{day(since)} – {day(last)}"


def bucket(name: str, first: date) -> str:
    """A bucket of time as an axis says it."""
    pattern = {"day": "MMM d", "week": "MMM d", "month": "MMM yyyy", "quarter": "QQQ yyyy", "year": "yyyy"}[name]
    return format_date(first, pattern, locale=locale())


def value(number: float | None, unit: str, currency: str = "", *, short: bool = True) -> str:
    """A metric's value in its unit: money, count or ratio."""
    if unit == "money" and currency:
        whole = None if number is None else int(number)
        return compact(whole, currency) if short else money(whole, currency)
    if unit == "ratio":
        return percent(number)
    return compact_count(number) if short else count(number)


def ago(seconds: float | None) -> str:
    """How long ago, in words."""
    if seconds is None:
        return "not yet"
    if seconds < 2:
        return "now"
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {word} ago"
    return f"{int(seconds)} s ago"


REGIONS = {"na": "North America", "eu": "Europe", "apac": "Asia-Pacific", "global": "Global"}


def name(dimension: str, value: str, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """A value of a dimension as readers call it; `names` holds the partners' by code."""
    if value == OTHER:
        return "All others"
    if not value:
        return "No partner" if dimension.startswith("partner") else "None"
    if dimension in ("region", "partner_region"):
        return REGIONS.get(value, value)
    return names.get(value, value) if dimension == "partner" else value


def plain(words: str) -> str:
    """Somebody's own words within Markdown: shown as they were typed, on one line."""
    line = SHORTCODE.sub(":\u2060", " ".join(words.split()))
    return "".join(f"\\{letter}" if letter in MARKUP else letter for letter in line)


def label(dimension: str) -> str:
    """A dimension as a title: partner_type → Partner type."""
    return dimension.replace("_", " ").capitalize()
