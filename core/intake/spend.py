"""Spend: what acquiring customers cost, by day and channel."""

from __future__ import annotations

from core.intake import cells
from core.intake.fields import PARTNER, SOURCE_ID, Field, Kind

SPEND = Kind(
    name="spend",
    title="Spend",
    table="spend",
    fields=(
        Field("day", cells.day, required=True, column="business_day", also=("date", "business_day")),
        Field("source_id", cells.text(200), also=SOURCE_ID),
        Field("channel", cells.text(200), required=True, also=("medium", "network")),
        Field("campaign", cells.text(200), default="", also=("campaign_name",)),
        Field("region", cells.text(200), default=""),
        Field("currency", cells.currency, required=True, also=("currency_code",)),
        Field("amount", cells.money(), required=True, column="amount_minor", also=("cost", "spend", "total")),
        Field("partner", cells.text(200), kept=False, also=PARTNER),
    ),
)
