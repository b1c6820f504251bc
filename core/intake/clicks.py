"""Clicks on partners' links, as another system recorded them; our own redirect writes them as they happen."""

from __future__ import annotations

from core.intake import cells
from core.intake.fields import AT, SOURCE_ID, Field, Kind

CLICKS = Kind(
    name="clicks",
    title="Clicks",
    table="click",
    fields=(
        Field("referral_code", cells.text(200), required=True, kept=False, also=("code", "ref")),
        Field("source_id", cells.text(200), also=SOURCE_ID),
        Field("visitor", cells.text(200), required=True, also=("visitor_id",)),
        Field("at", cells.time, required=True, also=AT),
        Field("landing_url", cells.text(2000), default="", also=("url", "landing_page")),
    ),
)
