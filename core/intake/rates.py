"""Exchange rates: units of one currency for one of another on a day. A known rate never changes."""

from __future__ import annotations

import polars as pl

from core.intake import cells
from core.intake.cells import Given
from core.intake.fields import Field, Kind, Rows
from core.intake.options import Options


def decide(rows: Rows, options: Options, given: Given) -> None:
    same = pl.col("from_currency") == pl.col("to_currency")
    rows.refuse("to", same, "{} stands on both sides; a rate is between two currencies.")


RATES = Kind(
    name="rates",
    title="Rates",
    table="rate",
    fields=(
        Field("day", cells.day, required=True, also=("date", "valid_on")),
        Field("from", cells.currency, required=True, column="from_currency", also=("from_currency", "base")),
        Field("to", cells.currency, required=True, column="to_currency", also=("to_currency", "quote")),
        Field("rate", cells.decimal(24, 12, positive=True), required=True, also=("value", "exchange_rate")),
        Field("source", cells.text(60), column="rate_source", also=("provider",)),
    ),
    decide=decide,
    key=("day", "from_currency", "to_currency"),
    never_contradicted=True,
)
