"""What makes a row the row it is, and on which day of the business it happened: pure decisions over columns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import polars as pl


def digests(cells: Mapping[str, pl.Series]) -> pl.Series:
    """The identity of rows that bring none: BLAKE2b, 128 bits in hex, of their canonical text.

    The canonical text is `name=length:value;` for each field that has a value, the fields in the order of their
    names and the length in bytes of UTF-8. It knows neither the file's column order nor its other rows, and it must
    never change: rows imported by an earlier release are recognised by it.
    """
    names = sorted(cells)
    canonical = pl.DataFrame([cells[name].alias(name) for name in names]).select(
        pl.concat_str([_canonical(name) for name in names])
    )
    hashed = [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in canonical.to_series().to_list()]
    return pl.Series("digest", hashed, dtype=pl.String)


def _canonical(name: str) -> pl.Expr:
    cell = pl.col(name)
    spelled = pl.concat_str(pl.lit(f"{name}="), cell.str.len_bytes().cast(pl.String), pl.lit(":"), cell, pl.lit(";"))
    return pl.when(cell.is_null()).then(pl.lit("")).otherwise(spelled)


def business_days(at: pl.Series, zones: pl.Series) -> pl.Series:
    """The day of each instant in its row's own zone: `core.periods.business_day` for a column."""
    chain: Any = pl.when(pl.col("at").is_null()).then(pl.lit(None, pl.Date))
    for zone in zones.unique().drop_nulls().to_list():
        chain = chain.when(pl.col("zone") == zone).then(pl.col("at").dt.convert_time_zone(zone).dt.date())
    return pl.DataFrame({"at": at, "zone": zones}).select(chain.otherwise(None).alias("business_day")).to_series()
