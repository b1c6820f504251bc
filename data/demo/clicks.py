"""Clicks on partners' links: those that led to an order, many that led nowhere, and one partner's own."""

from __future__ import annotations

import numpy as np
import polars as pl

from data.demo import customers, partners, sales, stories
from data.demo.chance import numbered
from data.demo.world import EPOCH_DAY, World, instant, moment_of, named

IDLE_A_DAY = 19.0
OWN_A_DAY = 25
"""Clicks a day of the partner who refers itself, in one burst."""
LANDING_PAGES = tuple(f"https://shop.lanternfish.example{path}" for path in ("/", "/credits", "/prints", "/portraits"))
_MINUTE = 60_000_000
_LONGEST_DAYS = 13
"""Within the shortest window of any program, so that a click that led to an order counts."""


def frame(world: World) -> pl.DataFrame:
    table = pl.concat([_led_to_orders(world), _idle(world), _own(world)])
    table = table.filter(pl.col("moment") < world.end).sort("moment", "source_id")
    codes = [partners.link_code(p) for p in partners.partners()]
    page = world.chance.below(len(LANDING_PAGES), "click/page", table["moment"].to_numpy())
    return table.select(
        "source_id",
        named("referral_code", codes, table["partner"].to_numpy()),
        "visitor",
        instant("at", table["moment"].to_numpy()),
        named("landing_url", LANDING_PAGES, page),
    )


def _led_to_orders(world: World) -> pl.DataFrame:
    orders = sales.orders(world).filter(pl.col("source") == sales.CLICK)
    keys = (orders["day"].to_numpy(), orders["place"].to_numpy())
    minutes = np.minimum(world.chance.waiting(4_000.0, "click/before order", *keys), _LONGEST_DAYS * 1440.0)
    before = (1 + minutes.astype(np.int64)) * _MINUTE
    return pl.DataFrame(
        {
            "source_id": _ids("k", orders, "day", "place"),
            "visitor": customers.users("visitor", orders["who"].to_numpy()),
            "partner": orders["partner"],
            "moment": orders["moment"].to_numpy() - before,
        }
    )


def _idle(world: World) -> pl.DataFrame:
    mean = IDLE_A_DAY * world.scale * world.level(world.days)
    day, place = numbered(world.days, world.chance.count(mean, "idle clicks", world.days))
    with_links = [p.size if partners.SOURCE_WEIGHTS[p.type][sales.CLICK] else 0.0 for p in partners.partners()]
    partner = world.chance.pick(with_links, "idle click/partner", day, place)
    table = pl.DataFrame({"day": day, "place": place, "partner": partner}).filter(
        pl.Series(partners.is_selling(world, partner, day))
    )
    day, place = table["day"].to_numpy(), table["place"].to_numpy()
    return pl.DataFrame(
        {
            "source_id": _ids("ki", table, "day", "place"),
            "visitor": _ids("w", table, "day", "place"),
            "partner": table["partner"],
            "moment": world.moments(day, world.chance.below(3, "idle click/region", day, place), "idle click", place),
        }
    )


def _own(world: World) -> pl.DataFrame:
    """A burst each evening: many clicks within minutes from four browsers."""
    story = world.stories["self_referral"]
    last = min(story.until.toordinal() - 1, world.today.toordinal())
    days = np.arange(story.since.toordinal(), last + 1)
    day, place = numbered(days, np.full(len(days), OWN_A_DAY))
    browser = world.chance.below(4, "own click/browser", day, place)
    evening = (day - EPOCH_DAY) * 86_400_000_000 + 19 * 60 * _MINUTE
    table = pl.DataFrame({"day": day, "place": place})
    return pl.DataFrame(
        {
            "source_id": _ids("ko", table, "day", "place"),
            "visitor": named("visitor", [f"own-{n}" for n in range(4)], browser),
            "partner": np.full(len(day), partners.position(stories.SELF_REFERRER)),
            "moment": evening + place * 11_000_000,
        }
    ).filter(pl.col("moment") >= moment_of(story.since))


def _ids(prefix: str, table: pl.DataFrame, day: str, place: str) -> pl.Series:
    date = (pl.col(day) - EPOCH_DAY).cast(pl.Int32).cast(pl.Date).dt.strftime("%Y%m%d")
    return table.select(
        pl.concat_str(pl.lit(f"{prefix}-"), date, pl.lit("-"), pl.col(place).cast(pl.String)).alias("source_id")
    ).to_series()
