"""Here, and only here, money and numbers become text."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from core.compare import OTHER
from pages.parts import format as fmt


@pytest.fixture(autouse=True)
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fmt, "locale", lambda: "en_US")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1234505, "USD", "$12,345.05"),
        (-5, "USD", "-$0.05"),
        (0, "EUR", "€0.00"),
        (1940, "JPY", "¥1,940"),
        (5125, "KWD", "KWD 5.125"),
        (10**15, "USD", "$10,000,000,000,000.00"),
        (None, "USD", "–"),
    ],
)
def test_money_is_exact_in_the_digits_of_its_currency(minor: int | None, currency: str, text: str) -> None:
    assert fmt.money(minor, currency).replace("\xa0", " ") == text


@pytest.mark.parametrize(
    ("minor", "text"),
    [(99999, "$999.99"), (100000, "$1K"), (140_000_000, "$1.4M"), (-234567, "-$2.3K"), (None, "–")],
)
def test_a_card_shows_money_in_short(minor: int | None, text: str) -> None:
    assert fmt.compact(minor, "USD") == text


def test_numbers_are_written_as_the_reader_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fmt, "locale", lambda: "de")
    assert fmt.money(1234505, "EUR") == "12.345,05\xa0€"
    assert fmt.money(-5125, "KWD") == "-5,125\xa0KWD"
    assert fmt.tick(500_00, "EUR") == "500\xa0€"
    assert fmt.count(1234567) == "1.234.567"
    assert fmt.percent(0.1234) == "12,3%"


@pytest.mark.parametrize("tag", ["xx-YY", "", None, "en", "klingon", "de-DE-u-nu-arab", "../..", "x" * 500])
def test_a_browser_of_any_language_gets_a_locale_that_is_known(tag: str | None) -> None:
    assert fmt.known(tag)


@pytest.mark.parametrize(
    ("since", "last", "text"),
    [
        (date(2026, 8, 24), date(2026, 11, 21), "Aug 24 – Nov 21, 2026"),
        (date(2025, 12, 1), date(2026, 11, 21), "Dec 1, 2025 – Nov 21, 2026"),
        (date(2026, 11, 21), date(2026, 11, 21), "Nov 21, 2026"),
    ],
)
def test_days_are_a_range_or_one_day(since: date, last: date, text: str) -> None:
    assert fmt.days(since, last) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not yet"),
        (0.0, "now"),
        (1.9, "now"),
        (30, "30 s ago"),
        (90, "1 min ago"),
        (7200, "2 h ago"),
        (2e5, "2 d ago"),
    ],
)
def test_how_long_ago_in_words(seconds: float | None, text: str) -> None:
    assert fmt.ago(seconds) == text


def test_a_value_without_a_name_is_called_none_and_the_rest_all_others() -> None:
    assert fmt.name("partner", "") == "No partner"
    assert fmt.name("country", "") == "None"
    assert fmt.name("country", OTHER) == "All others"
    assert fmt.name("region", "eu") == "Europe"
    assert fmt.name("partner", "acme", {"acme": "Acme & Co"}) == "Acme & Co"
    assert fmt.name("product", "acme", {"acme": "Acme & Co"}) == "acme"


def test_a_moment_names_its_zone() -> None:
    assert fmt.moment(datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC)).endswith(" UTC")
    assert fmt.moment(None) == "–"


@pytest.mark.parametrize(
    "words",
    [
        "**b**",
        "_i_",
        "`c`",
        "[a](b)",
        "![x](y)",
        "<img src=x>",
        "# h",
        "- l",
        "1. l",
        "$x$",
        "| a |",
        "~~s~~",
        ":red[x]",
    ],
)
def test_the_words_of_others_are_no_markup(words: str) -> None:
    plain = fmt.plain(words)
    assert plain != words
    assert plain.replace("\\", "").replace("\u2060", "") == words, "and nothing is lost"


def test_words_stay_on_one_line_and_name_no_picture() -> None:
    assert fmt.plain("a\n\n# b\t c") == r"a \# b c"
    assert "\u2060" in fmt.plain(":material/lock:")
    assert "\u2060" in fmt.plain(":smile:")
    assert fmt.plain("at 10:30, https://x") == r"at 10\:30, https\://x"


@pytest.mark.parametrize("tag", ["en_US", "de", "fr", "ja", "hi", "nl", "pt_BR", "de_CH", "sv", "ar"])
@pytest.mark.parametrize(("currency", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("AFN", 2), ("UYW", 4)])
def test_every_locale_shows_every_digit_of_a_currency(
    monkeypatch: pytest.MonkeyPatch, tag: str, currency: str, digits: int
) -> None:
    monkeypatch.setattr(fmt, "locale", lambda: tag)
    shown = "".join(letter for letter in fmt.money(-1_234_567, currency) if letter.isdigit())
    assert len(shown) == 7
    assert "".join(str(int(letter)) for letter in shown) == "1234567"
    assert digits == fmt.exponent(currency)
