"""Organizations: paying customers with a plan. A list of them completes those that other facts have named already."""

from __future__ import annotations

from core.intake import cells
from core.intake.fields import PARTNER, Field, Kind

ORGANIZATIONS = Kind(
    name="organizations",
    title="Organizations",
    table="organization",
    fields=(
        Field("source_id", cells.text(200), required=True, also=("id", "organization", "organization_id", "code")),
        Field("name", cells.text(300), required=True, also=("organization_name", "company")),
        Field("plan", cells.text(200), default="", also=("tier",)),
        Field("region", cells.one_of("global", "na", "eu", "apac"), default="global"),
        Field("partner", cells.text(200), kept=False, also=PARTNER),
    ),
    fills=("name", "plan", "region"),
)
