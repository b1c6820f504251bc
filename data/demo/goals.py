"""What the shop meant to reach, month by month, and the notes that it made on its calendar."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from data.demo import stories
from data.demo.chance import Array
from data.demo.world import World

# What an average day of the middle of the history brings. Each month's goals are set from it, lower in the beginning:
# subscriptions began two years ago and had to grow first.
NET_REVENUE_USD = 13_400
ORDERS = 275
ACTIVE_CUSTOMERS_A_MONTH = 5_600
PARTNER_DRIVEN_SHARE_BPS = 4_000


def frame(world: World) -> pl.DataFrame:
    """Goals of every whole or begun month of the history and of the next: a little above what was to be expected."""
    rows = []
    for ago in range(23, -2, -1):
        first, after = world.months_ago(ago), world.months_ago(ago - 1)
        days = np.arange(first, after)
        busy = float(_expected(world, days).sum()) * world.scale * (1.04 - 0.2 * max(ago, 0) / 23)
        month = date.fromordinal(first)
        revenue = round(busy * NET_REVENUE_USD * 1.02, -3)
        active = round(busy / len(days) * ACTIVE_CUSTOMERS_A_MONTH, -1)
        rows += [
            {"metric": "net_revenue", "month": month, "target": f"{max(revenue, 1000):.2f}", "currency": "USD"},
            {"metric": "orders", "month": month, "target": f"{max(round(busy * ORDERS * 1.01, -2), 100):.0f}"},
            {"metric": "active_customers", "month": month, "target": f"{max(active, 10):.0f}"},
            {"metric": "partner_driven_share", "month": month, "target": f"{PARTNER_DRIVEN_SHARE_BPS}"},
        ]
    return pl.DataFrame(
        rows, schema={"metric": pl.String, "month": pl.Date, "target": pl.String, "currency": pl.String}
    )


def _expected(world: World, days: Array) -> Array:
    """How busy days were expected to be: without their luck."""
    lucky = np.exp(0.045 * world.chance.normal("luck of the day", days))
    return world.level(days) / lucky


def annotations_frame(world: World) -> pl.DataFrame:
    """Notes on the calendar: what the business itself knew at the time."""
    told = world.stories
    monday = told["launch"].since.date()
    rows = [
        (told["launch"].since.date(), f"Launch of {stories.LAUNCHED_PRODUCT}"),
        (told["refund_wave"].since.date(), f"{stories.REFUNDED_PRODUCT}: batch recalled, refunds begin"),
        (told["price_drop"].since.date(), f"{stories.CHEAPER_MODEL} becomes cheaper"),
        (told["outage"].since.date(), "Checkout in Europe down from 06:00 to 18:00 UTC"),
        (told["data_gap"].since.date(), "Tracking lost for two days"),
        *(
            (date(year, 11, 24), "November sale: 15 % off for a week")
            for year in range(monday.year - 2, monday.year + 2)
        ),
    ]
    kept = sorted((day, label) for day, label in rows if world.first <= day <= world.today)
    return pl.DataFrame(kept, schema={"day": pl.Date, "label": pl.String}, orient="row")
