"""Subscriptions: one row is one change; the latest row of a subscription is its state."""

from __future__ import annotations

import polars as pl

from core.intake import cells
from core.intake.cells import Given
from core.intake.fields import AT, CUSTOMER, ORGANIZATION, PARTNER, SOURCE_ID, Field, Kind, Rows
from core.intake.options import Options


def decide(rows: Rows, options: Options, given: Given) -> None:
    """A price is not negative, and no discount exceeds it."""
    rows.refuse("amount", pl.col("amount_minor") < 0, "A subscription costs nothing or more; the amount is negative.")
    if rows.has("discount"):
        discount = pl.col("discount_minor")
        outside = (discount < 0) | (discount > pl.col("amount_minor"))
        rows.refuse("discount", outside, "{} is not between zero and the amount.")


SUBSCRIPTIONS = Kind(
    name="subscriptions",
    title="Subscriptions",
    table="subscription_change",
    fields=(
        Field("subscription", cells.text(200), required=True, also=("subscription_id",)),
        Field("source_id", cells.text(200), also=SOURCE_ID),
        Field("at", cells.time, required=True, also=(*AT, "changed_at")),
        Field("plan", cells.text(200), required=True, also=("plan_id", "tier", "product")),
        Field("currency", cells.currency, required=True, also=("currency_code",)),
        Field("amount", cells.money(), required=True, column="amount_minor", also=("price", "plan_amount", "mrr")),
        Field("discount", cells.money(), default=0, column="discount_minor", also=("discount_amount",)),
        Field(
            "status",
            cells.one_of("trialing", "active", "past_due", "paused", "cancelled", "ended"),
            required=True,
            also=("state",),
        ),
        Field("interval", cells.one_of("day", "week", "month", "year"), default="month", also=("billing_interval",)),
        Field("interval_count", cells.whole(1, 120), default=1),
        Field("customer", cells.text(200), also=CUSTOMER),
        Field("organization", cells.text(200), also=ORGANIZATION),
        Field("partner", cells.text(200), kept=False, also=PARTNER),
        Field("paid_until", cells.later_day, also=("current_period_end", "period_end")),
    ),
    decide=decide,
)
