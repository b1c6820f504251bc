"""What makes a row the row it is: the same after a release, and different wherever its content differs."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intake.rules import business_days, digests
from core.periods import business_day

cell = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
records = st.dictionaries(st.sampled_from(["at", "amount", "product", "order_id"]), cell, min_size=1)


def digest(record: dict[str, str | None]) -> str:
    cells = {name: pl.Series(name, [value], dtype=pl.String) for name, value in record.items()}
    return str(digests(cells)[0])


def test_the_identity_of_a_row_never_changes() -> None:
    """Rows that were imported by an earlier release are recognised by exactly this."""
    record = {"order_id": "536365", "at": "2010-12-01 08:26:00", "product": "café", "customer": None}
    canonical = "at=19:2010-12-01 08:26:00;order_id=6:536365;product=5:café;"
    assert digest(record) == hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()
    assert digest(record) == "0efcde27b83a9c21a55a9e9049cf70c8"


@settings(max_examples=60, deadline=None)
@given(a=records, b=records)
def test_two_rows_are_the_same_row_only_where_they_say_the_same(
    a: dict[str, str | None], b: dict[str, str | None]
) -> None:
    said = [{name: value for name, value in record.items() if value is not None} for record in (a, b)]
    assert (digest(a) == digest(b)) == (said[0] == said[1])


def test_cells_cannot_be_shifted_into_one_another() -> None:
    assert digest({"a": "1;b=1:2", "b": None}) != digest({"a": "1", "b": "2"})
    assert digest({"a": "12", "b": "3"}) != digest({"a": "1", "b": "23"})


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 30)),  # noqa: DTZ001
            st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Europe/Berlin"]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_business_days_are_those_of_core_periods(rows: list[tuple[datetime, str]]) -> None:
    instants = [at.replace(tzinfo=UTC) for at, _ in rows]
    at = pl.Series("at", instants, dtype=pl.Datetime("us", "UTC"))
    zones = pl.Series("zone", [zone for _, zone in rows], dtype=pl.String)
    expected = [business_day(instant, ZoneInfo(zone)) for instant, (_, zone) in zip(instants, rows, strict=True)]
    assert business_days(at, zones).to_list() == expected


def test_half_past_eleven_in_new_york_is_still_today_there() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    at = pl.Series("at", [late, late, late + timedelta(minutes=30)], dtype=pl.Datetime("us", "UTC"))
    zones = pl.Series("zone", ["America/New_York", "UTC", "America/New_York"])
    assert business_days(at, zones).to_list() == [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 2)]
