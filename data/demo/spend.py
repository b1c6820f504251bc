"""What the shop spends on being found, by day, channel and campaign, in the currency of the market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from data.demo import stories
from data.demo.world import DIGITS, EPOCH_DAY, World, calendar_day, major, moment_of


@dataclass(frozen=True, slots=True)
class Campaign:
    channel: str
    name: str
    region: str
    currency: str
    minor: int
    """About a day's spend, in minor units."""
    weekday: int | None = None
    """None: every day."""


CAMPAIGNS = (
    Campaign("search", "brand", "na", "USD", 15_000),
    Campaign("search", "photo tools", "na", "USD", 24_000),
    Campaign("search", "photo tools", "eu", "EUR", 16_000),
    Campaign("search", "photo tools", "apac", "JPY", 17_000),
    Campaign("social", "first look", "na", "USD", 13_000),
    Campaign("social", "come back", "eu", "EUR", 8_000),
    Campaign("social", "gulf creators", "apac", "KWD", 18_000),
    Campaign("video", "before and after", "na", "USD", 11_000),
    Campaign("video", "before and after", "eu", "EUR", 7_000),
    Campaign("newsletter", "weekly", "na", "USD", 9_000, weekday=1),
)


def frame(world: World) -> pl.DataFrame:
    """One row a day and campaign, up to yesterday: today's bill has not come yet."""
    story = world.stories["spend_explosion"]
    days = world.days[:-1]
    starts = (days - EPOCH_DAY) * 86_400_000_000
    exploding = (starts >= moment_of(story.since)) & (starts < moment_of(story.until))
    parts = []
    for place, campaign in enumerate(CAMPAIGNS):
        wobble = np.exp(0.16 * world.chance.normal("spend", days, place))
        factor = np.where(exploding & (campaign.channel == stories.WASTED_CHANNEL), story.strength, 1.0)
        whole = 1 if DIGITS[campaign.currency] < 3 else 5
        minor = np.rint(campaign.minor * world.trend(days) * wobble * factor / whole).astype(np.int64) * whole
        runs = np.ones(len(days), dtype=bool) if campaign.weekday is None else (days - 1) % 7 == campaign.weekday
        parts.append(
            pl.DataFrame(
                {
                    "day": calendar_day("day", days[runs]),
                    "channel": campaign.channel,
                    "campaign": campaign.name,
                    "region": campaign.region,
                    "currency": campaign.currency,
                    "minor": minor[runs],
                    "place": place,
                }
            )
        )
    table = pl.concat(parts).sort("day", "place")
    return table.select(
        source_id=pl.concat_str(
            pl.lit("x-"), pl.col("day").dt.strftime("%Y%m%d"), pl.lit("-"), pl.col("place").cast(pl.String)
        ),
        day="day",
        channel="channel",
        campaign="campaign",
        region="region",
        amount=major("minor", "currency"),
        currency="currency",
    )
