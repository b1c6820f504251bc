"""What the columns make of a million texts is what `core.money` and `core.periods` make of one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake import cells
from core.intake.cells import Given, Read
from core.money import EXPONENTS, MINOR_MAX, NotMoney, exact, minor_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
GIVEN = Given(NOW)
CURRENCIES = ["JPY", "USD", "KWD", "CLF"]
NASTY = [
    "NaN", "inf", "-inf", "1_000", "1,000", "١٢٣", "１２", "1e5", "1E400", "0x10", "--1", "+-1", "1.", ".5", "1.2.3",
    "", " ", "٣.٥", "½", "1\u00a0000", "12 345", "=1+1", "<b>1</b>", "1\n", "None", "true", "10" * 30, "-", "+",
]  # fmt: skip

digits = st.text("0123456789", min_size=1, max_size=18)
plain = st.builds(
    lambda sign, whole, part: sign + whole + (f".{part}" if part is not None else ""),
    st.sampled_from(["", "-", "+"]),
    digits,
    st.none() | digits,
)
short = st.builds(
    lambda sign, whole, part: sign + whole + (f".{part}" if part else ""),
    st.sampled_from(["", "-"]),
    st.text("0123456789", min_size=1, max_size=9),
    st.text("0123456789", max_size=8),
)


def series(*texts: str | None) -> pl.Series:
    return pl.Series("c", texts, dtype=pl.String)


def outcome(read: Read, cells_: pl.Series) -> list[object]:
    """Each value, or None where the cell is refused."""
    refused = pl.repeat(False, len(cells_), eager=True)
    for mask, _ in read.refused:
        refused = refused | (mask.fill_null(False) & cells_.is_not_null())
    return [None if bad else value for value, bad in zip(read.values.to_list(), refused.to_list(), strict=True)]


def reference(text: str, currency: str, *, rounding: bool) -> int | None:
    try:
        return minor_of(exact(text), currency, rounding=rounding)
    except NotMoney:
        return None


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(plain | st.sampled_from(NASTY) | st.text(max_size=8), min_size=1, max_size=40),
    currency=st.sampled_from(CURRENCIES),
    rounding=st.booleans(),
)
def test_amounts_are_what_core_money_makes_of_them(texts: list[str], currency: str, rounding: bool) -> None:
    column = cells.trimmed(pl.Series("c", texts, dtype=pl.String))
    row = pl.DataFrame({"currency": [currency] * len(texts)})
    read = cells.money()(column, row, Given(NOW, rounding=rounding))
    expected = [None if text is None else reference(text, currency, rounding=rounding) for text in column]
    assert outcome(read, column) == expected


def test_amounts_at_the_edges_are_what_core_money_makes_of_them() -> None:
    edges = [f"{sign}{MINOR_MAX // 100 + step}.{part}" for sign in ("", "-") for step in (-1, 0) for part in _parts()]
    texts = [*edges, "0", "-0", "0.00", "0.005", "-0.005", "0.0049999", "2.5", "-2.5", "9" * 30, "0" * 29 + "1"]
    column = series(*texts)
    for currency in CURRENCIES:
        for rounding in (True, False):
            row = pl.DataFrame({"currency": [currency] * len(texts)})
            read = cells.money()(column, row, Given(NOW, rounding=rounding))
            assert outcome(read, column) == [reference(text, currency, rounding=rounding) for text in texts]


def _parts() -> list[str]:
    return ["0", "004", "005", "994", "995", "9949999", "99", "01"]


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.tuples(short, short, st.sampled_from(CURRENCIES)), min_size=1, max_size=40))
def test_quantity_times_price_is_exact_and_rounded_once(lines: list[tuple[str, str, str]]) -> None:
    quantity, price, currency = (pl.Series(column) for column in zip(*lines, strict=True))
    expected = []
    for q, p, code in lines:
        try:
            expected.append(minor_of(exact(q) * exact(p), code, rounding=True))
        except NotMoney:
            expected.append(None)
    assert outcome(cells.times(quantity, price, currency), quantity) == expected


@pytest.mark.parametrize(
    ("quantity", "price", "minor"),
    [
        ("6", "2.55", 1530),
        ("3", "0.335", 101),
        ("-3", "0.335", -101),
        ("1", "0.001", 0),
        ("12", "3.3333333333333335", 4000),
    ],
)
def test_a_line_rounds_half_away_from_zero(quantity: str, price: str, minor: int) -> None:
    assert outcome(cells.times(series(quantity), series(price), series("GBP")), series(quantity)) == [minor]


def test_more_digits_than_can_be_multiplied_exactly_are_refused() -> None:
    assert outcome(cells.times(series("1"), series("1.234567890123456789"), series("USD")), series("1")) == [None]


def test_a_currency_that_does_not_exist_is_refused() -> None:
    column = series("usd", "EUR", "XXX", "US", "ＵＳＤ", "$")
    assert outcome(cells.currency(column, pl.DataFrame(), GIVEN), column) == ["USD", "EUR", None, None, None, None]
    assert len(EXPONENTS) > 150


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-31 14:05:00", datetime(2026, 3, 31, 14, 5, tzinfo=UTC)),
        ("2026-03-31T14:05:00Z", datetime(2026, 3, 31, 14, 5, tzinfo=UTC)),
        ("2026-03-31T14:05:00+02:00", datetime(2026, 3, 31, 12, 5, tzinfo=UTC)),
        ("2026-03-31 14:05:00.25 -0530", datetime(2026, 3, 31, 19, 35, 0, 250000, tzinfo=UTC)),
        ("2023-11-16 18:17:03.9799609", datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)),
        ("2026-03-31 14:05", datetime(2026, 3, 31, 14, 5, tzinfo=UTC)),
        ("2026-03-31", datetime(2026, 3, 31, tzinfo=UTC)),
        ("1970-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1066-10-14", None),
        ("1969-12-31 23:59:59", None),
        ("2026-06-04", None),
        ("2026-06-03 11:59:59", datetime(2026, 6, 3, 11, 59, 59, tzinfo=UTC)),
        ("2026-02-30", None),
        ("2026-13-01", None),
        ("٢٠٢٦-03-31", None),
        ("yesterday", None),
        ("31/03/2026", None),
        ("2026-03-31 25:00:00", None),
        ("2026-03-31 14:05:00 +0200 CEST", None),
        ("1", None),
        ("9999-12-31", None),
    ],
)
def test_times_are_read_or_refused(text: str, expected: datetime | None) -> None:
    column = series(text, None, "2026-01-01 00:00:00")
    found = outcome(cells.time(column, pl.DataFrame(), GIVEN), column)
    assert found == [expected, None, datetime(2026, 1, 1, tzinfo=UTC)]


def test_naive_times_are_read_in_the_zone_that_was_given() -> None:
    column = series("2026-03-08 01:59:00", "2026-03-08 02:30:00", "2025-11-02 01:30:00", "2026-03-08 02:30:00Z")
    found = outcome(cells.time(column, pl.DataFrame(), Given(NOW, timezone="America/New_York")), column)
    assert found == [
        datetime(2026, 3, 8, 6, 59, tzinfo=UTC),
        None,  # the clocks went forward
        datetime(2025, 11, 2, 5, 30, tzinfo=UTC),  # the first of the two
        datetime(2026, 3, 8, 2, 30, tzinfo=UTC),
    ]


@given(
    at=st.datetimes(datetime(1970, 1, 1), datetime(2026, 6, 2)),  # noqa: DTZ001
    hours=st.integers(-14, 14),
)
@settings(max_examples=100, deadline=None)
def test_any_iso_time_is_the_instant_that_python_reads(at: datetime, hours: int) -> None:
    offset = f"{'-' if hours < 0 else '+'}{abs(hours):02}:00"
    text = at.isoformat(sep=" ") + offset
    expected = datetime.fromisoformat(text).astimezone(UTC)
    inside = datetime(1970, 1, 1, tzinfo=UTC) <= expected <= NOW + timedelta(days=2)
    column = series(text)
    assert outcome(cells.time(column, pl.DataFrame(), GIVEN), column) == [expected if inside else None]


@pytest.mark.parametrize(("dates", "text"), [("iso", "2026-3-1"), ("dmy", "1/3/2026"), ("mdy", "3/1/2026")])
def test_days_are_read_as_they_are_written(dates: str, text: str) -> None:
    given_ = Given(NOW, dates=dates)  # type: ignore[arg-type]
    column = series(text)
    assert outcome(cells.day(column, pl.DataFrame(), given_), column) == [date(2026, 3, 1)]


def test_whole_numbers_are_whole() -> None:
    column = series("5", "5.0", "-1", "5.5", "1e3", "٥", "99999999999999999999", "1000000000000001")
    assert outcome(cells.whole()(column, pl.DataFrame(), GIVEN), column) == [5, 5, None, None, None, None, None, None]


def test_decimals_fit_their_column() -> None:
    column = series("1.500", "0.0000001", "-3", "123456789012345.1", "NaN", "00012")
    read = cells.decimal(20, 6)(column, pl.DataFrame(), GIVEN)
    assert outcome(read, column) == ["1.5", None, "-3", None, None, "12"]
    quality = series("0", "1", "1.0001", "0.9999", "-0.1", "2", "0.12345")
    found = outcome(cells.decimal(5, 4, most=1)(quality, pl.DataFrame(), GIVEN), quality)
    assert found == ["0", "1", None, "0.9999", None, None, None]


def test_a_share_is_a_percentage() -> None:
    column = series("12.5", "100", "0", "100.01", "-1", "12.345", "half")
    assert outcome(cells.basis_points(column, pl.DataFrame(), GIVEN), column) == [
        1250,
        10000,
        0,
        None,
        None,
        None,
        None,
    ]


def test_costs_are_exact_to_the_nano_unit() -> None:
    column = series("0.000000001", "0.0000000005", "1.5", "NaN")
    row = pl.DataFrame({"currency": ["USD"] * 4})
    assert outcome(cells.nano()(column, row, GIVEN), column) == [1, None, 1_500_000_000, None]


def test_text_is_kept_as_it_is_and_never_too_long() -> None:
    column = series("=HYPERLINK(1)", "<script>alert(1)</script>", "x" * 301, "naïve ünïcödé 🦉")
    found = outcome(cells.text(300)(column, pl.DataFrame(), GIVEN), column)
    assert found == ["=HYPERLINK(1)", "<script>alert(1)</script>", None, "naïve ünïcödé 🦉"]
