"""Customers: who buys. A list of them completes those that sales have named already."""

from __future__ import annotations

from core.intake import cells
from core.intake.fields import CUSTOMER, ORGANIZATION, PARTNER, Field, Kind

CUSTOMERS = Kind(
    name="customers",
    title="Customers",
    table="customer",
    fields=(
        Field("source_id", cells.text(200), required=True, also=("id", *CUSTOMER, "customer")),
        Field("name", cells.text(300), also=("customer_name", "full_name")),
        Field("email", cells.text(300), also=("email_address", "mail", "customer_email")),
        Field("country", cells.text(200), default="", also=("country_code",)),
        Field("organization", cells.text(200), also=ORGANIZATION),
        Field("partner", cells.text(200), kept=False, also=PARTNER),
    ),
    fills=("name", "email", "country"),
)
