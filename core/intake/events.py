"""Events: one step of one user, account or partner at a time. Every column that no field takes is kept with it."""

from __future__ import annotations

from core.intake import cells
from core.intake.fields import AT, CUSTOMER, PARTNER, SOURCE_ID, Field, Kind

EVENTS = Kind(
    name="events",
    title="Events",
    table="event",
    fields=(
        Field("event", cells.text(200), required=True, also=("event_name", "event_type", "name", "action", "step")),
        Field("source_id", cells.text(200), also=(*SOURCE_ID, "event_id")),
        Field("at", cells.time, required=True, also=AT),
        Field("user", cells.text(200), column="unit_user", also=("user_id", "uid", "visitor_id")),
        Field("account", cells.text(200), column="unit_account", also=("account_id", "workspace_id")),
        Field("partner", cells.text(200), kept=False, also=PARTNER),
        Field("customer", cells.text(200), also=CUSTOMER),
        Field("session", cells.text(200), also=("session_id", "visit_id")),
        Field("ordinal", cells.whole(), also=("event_index", "sequence")),
    ),
    needs_one_of=("user", "account", "partner"),
    extras="properties",
)
