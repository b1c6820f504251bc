"""What a question may name: the relations, whose rows each shows to whom, and the dimensions of each.

Nothing here is SQL that somebody typed: identifiers come from these tables, values travel as parameters.
docs/decisions/0013-a-metric-is-a-file.md tells how a metric file and its narrowest relation find each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SQL = Path(__file__).with_name("sql")

Owner = Literal["partner_id", "id", "anybody", "staff"]


@dataclass(frozen=True, slots=True)
class Relation:
    """A view of one staging table's name, restricted to the rows that a scope owns.

    `owner` says how: by its partner column, as the partner itself, open to anybody, or closed to partners.
    """

    name: str
    owner: Owner


RELATIONS = (
    Relation("sale", "partner_id"),
    Relation("partner", "id"),
    Relation("partner_group", "anybody"),
    Relation("program", "anybody"),
    Relation("referral_code", "partner_id"),
    Relation("click", "partner_id"),
    Relation("organization", "partner_id"),
    Relation("customer", "partner_id"),
    Relation("subscription_change", "partner_id"),
    Relation("event", "partner_id"),
    Relation("usage", "partner_id"),
    Relation("spend", "partner_id"),
    Relation("rate", "anybody"),
    Relation("experiment", "staff"),
    Relation("assignment", "staff"),
    Relation("exposure", "staff"),
    Relation("goal", "staff"),
    Relation("annotation", "staff"),
)


MONEY = ("gross_minor", "refunds_minor", "net_minor")
"""Measures of revenue; each has its twin `house_…` in the house currency at the locked rate."""

REVENUE = ("lines", *MONEY, *(f"house_{name}" for name in MONEY))
PLACE = ("region", "country", "channel", "source", "attribution")
PRODUCT = ("product", "category")
LINE = (*PLACE, *PRODUCT, "plan", "kind")


@dataclass(frozen=True, slots=True)
class Mart:
    """A narrow table of cells whose measures add up, kept by adding what a change brings and taking back what it took.

    `cells` are the columns that name a cell, `sums` its measures, the counts first: a cell whose counts are all zero
    is none. `together` names the facts that only mean something together (the lines of one order, the days of one
    customer): their cells are worked out from all of them, before and after the change. A mart without `sums` holds
    one row per `together`. Without `is_stored` it is a view. `rolls` names the mart that it sums up.
    """

    name: str
    source: str
    cells: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    counts: int = 1
    together: tuple[str, ...] = ()
    keyed_by_partner: bool = False
    is_stored: bool = True
    rolls: str = ""

    @property
    def sql(self) -> str:
        return (SQL / "marts" / f"{self.name}.sql").read_text()


DAY = ("business_day", "partner_id", "currency", "has_rate")

MARTS = (
    Mart("revenue_day", "sale", DAY, REVENUE, keyed_by_partner=True),
    Mart("revenue_whole_day", "sale", ("business_day", "currency", "has_rate"), REVENUE, rolls="revenue_day"),
    Mart("revenue_place_day", "sale", ("business_day", *PLACE, "currency", "has_rate"), REVENUE),
    Mart("revenue_product_day", "sale", ("business_day", *PRODUCT, "currency", "has_rate"), REVENUE),
    Mart(
        "order_day",
        "sale",
        (*DAY, "split_order"),
        ("whole_orders", "split_lines", "gross_minor", "house_gross_minor"),
        counts=2,
        together=("source", "order_id"),
        keyed_by_partner=True,
    ),
    Mart(
        "order_whole_day",
        "sale",
        ("business_day", "currency", "has_rate", "split_order"),
        ("whole_orders", "split_lines", "gross_minor", "house_gross_minor"),
        counts=2,
        together=("source", "order_id"),
        rolls="order_day",
    ),
    Mart("customer_day", "sale", ("business_day", "previous_day"), ("customers",), together=("customer_id",)),
    Mart("customer_span", "sale", together=("customer_id",)),
    Mart("revenue_line", "sale", is_stored=False),
    Mart("order_line", "sale", is_stored=False),
    Mart("customer_line", "sale", is_stored=False),
)

TIME = {
    "day": "business_day",
    "week": "cast(date_trunc('week', business_day) as date)",
    "month": "business_day - cast(extract(day from business_day) as integer) + 1",
    "quarter": "cast(date_trunc('quarter', business_day) as date)",
    "year": "business_day - cast(extract(doy from business_day) as integer) + 1",
}
"""Buckets of time → their first day. Weeks begin on Monday (ISO 8601). Days are subtracted where that is enough: it
takes half the time of date_trunc, which most of the time of a question by month went into."""

OF_PARTNER = {
    "partner": "partner.code",
    "partner_name": "partner.name",
    "partner_type": "partner.type",
    "partner_region": "partner.region",
    "partner_status": "partner.status",
}
"""Dimensions that need `partner_id` and the registry."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One relation that can answer a family of questions: its dimensions, its measures and whether it holds money."""

    relation: str
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]
    money: tuple[str, ...] = ()
    has_partner: bool = False
    time: str = "business_day"
    absent: tuple[str, ...] = ()  # columns of the family that stand in another of its relations: null here
    has_filters: bool = True  # whether its rows may be picked by more than the period


FAMILIES: dict[str, tuple[Cells, ...]] = {
    "revenue": (
        Cells("revenue_whole_day", (), ("lines",), MONEY),
        Cells("revenue_day", (), ("lines",), MONEY, has_partner=True),
        Cells("revenue_place_day", PLACE, ("lines",), MONEY),
        Cells("revenue_product_day", PRODUCT, ("lines",), MONEY),
        Cells("revenue_line", LINE, ("lines",), MONEY, has_partner=True),
    ),
    "orders": (
        Cells("order_whole_day", (), ("whole_orders", "split_order"), ("gross_minor",)),
        Cells("order_day", (), ("whole_orders", "split_order"), ("gross_minor",), has_partner=True),
        Cells("order_line", LINE, ("whole_orders", "split_order"), ("gross_minor",), has_partner=True),
    ),
    "customers": (
        Cells(
            "customer_day",
            (),
            ("customers", "previous_day"),
            absent=("cast(null as bigint) as customer_id", "cast(null as date) as first_day"),
            has_filters=False,
        ),
        Cells(
            "customer_line",
            (*LINE, "currency"),
            ("customer_id", "first_day"),
            has_partner=True,
            absent=("0 as customers", "cast(null as date) as previous_day"),
        ),
    ),
    "sales": (
        Cells(
            "sale",
            LINE,
            ("id", "order_id", "line_no", "customer_id", "refunds", "quantity", "at"),
            ("amount_minor",),
            has_partner=True,
        ),
    ),
    "spending": (Cells("spend", ("channel", "campaign", "region", "source"), (), ("amount_minor",), has_partner=True),),
    "requests": (
        Cells(
            "usage",
            ("provider", "model", "feature", "variant", "outcome", "kind", "source"),
            ("id", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "latency_ms", "quality"),
            has_partner=True,
        ),
    ),
    "events": (
        Cells(
            "event",
            ("event", "source"),
            ("id", "unit_user", "unit_account", "session", "at", "ordinal", "customer_id"),
            has_partner=True,
        ),
    ),
    "notes": (Cells("annotation", (), ("id", "label", "retired")),),
    "clicks": (Cells("click", ("source",), ("id", "visitor"), has_partner=True),),
    "subscriptions": (
        Cells(
            "subscription_change",
            ("plan", "status", "source"),
            ("id", "subscription", "customer_id", "interval_count", "at", "paid_until"),
            has_partner=True,
        ),
    ),
}
"""What a header may say after `from:`, narrowest relation first; the first that has every column asked answers."""
