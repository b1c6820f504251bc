"""Goals: what a metric is to reach in a month. With a currency the target is an amount in major units; without one it
is a whole number in the metric's own unit (a count, basis points). The latest file holds."""

from __future__ import annotations

import polars as pl

from core.intake import cells
from core.intake.cells import Given, Read
from core.intake.fields import Field, Kind, Rows
from core.intake.options import Options
from core.money import MINOR_MAX


def target(cells_: pl.Series, row: pl.DataFrame, given: Given) -> Read:
    """An amount of the row's currency, or a whole number where it has none."""
    none = pl.repeat(0, len(cells_), dtype=pl.Int64, eager=True)
    digits = cells.exponents(row["currency"]) if "currency" in row.columns else none
    return cells.minor(cells_, digits.fill_null(0), rounding=given.rounding, limit=MINOR_MAX)


def decide(rows: Rows, options: Options, given: Given) -> None:
    if not rows.has("currency"):
        rows.put("currency", pl.lit(None, pl.String))


GOALS = Kind(
    name="goals",
    title="Goals",
    table="goal",
    fields=(
        Field("metric", cells.text(100), required=True, also=("name", "kpi")),
        Field("month", cells.month, required=True, also=("period", "date")),
        Field("currency", cells.currency, also=("currency_code",)),
        Field("target", target, required=True, also=("goal", "value", "amount")),
    ),
    decide=decide,
    key=("metric", "month", "currency"),
    replaces=("target",),
)
