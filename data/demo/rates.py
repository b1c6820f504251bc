"""Exchange rates of the demo: made up, one a day, wandering a little. Their source says so."""

from __future__ import annotations

import numpy as np
import polars as pl

from data.demo.chance import Array
from data.demo.world import World, calendar_day

SOURCE = "demo (fictitious)"
AROUND = {"EUR": (1.09, 6), "JPY": (0.0067, 8), "KWD": (3.25, 6)}
"""US dollars for one of each currency, about, and the digits that are quoted."""
_RHYTHMS = ((7, 0.003), (31, 0.008), (113, 0.018), (401, 0.03))
"""Days from one resting point to the next, and how far they lie apart."""


def frame(world: World) -> pl.DataFrame:
    parts = []
    for place, (currency, (about, digits)) in enumerate(AROUND.items()):
        rate = about * np.exp(_wandering(world, place))
        parts.append(
            pl.DataFrame(
                {
                    "day": calendar_day("day", world.days),
                    "from": currency,
                    "to": "USD",
                    "rate": [f"{value:.{digits}f}" for value in rate],
                    "source": SOURCE,
                }
            )
        )
    return pl.concat(parts)


def _wandering(world: World, currency: int) -> Array:
    """A path between resting points of several rhythms: any day of it can be told without the days before."""
    total = np.zeros(len(world.days))
    for rhythm, height in _RHYTHMS:
        rest, since = world.days // rhythm, (world.days % rhythm) / rhythm
        here, there = (world.chance.normal("rate", rest + n, rhythm, currency) for n in (0, 1))
        total += height * (here * (1 - since) + there * since)
    return total
