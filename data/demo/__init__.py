"""One demo business: Lanternfish, an invented shop for photo software and things to hang on walls.

Nobody in it exists. It is deterministic: the same day, seed and scale make the same rows, and a demo made tomorrow
has the days of today's, and one more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from data.demo import (
    clicks,
    customers,
    events,
    experiments,
    goals,
    partners,
    rates,
    sales,
    spend,
    subscriptions,
    usage,
)
from data.demo.stories import Story, planted
from data.demo.world import World

NAME = "Lanternfish"
SOURCE = "demo"
SEED = 7

__all__ = ["NAME", "SEED", "SOURCE", "Story", "business", "planted"]


def business(today: date, *, seed: int = SEED, scale: float = 1.0) -> Iterator[tuple[str, pl.DataFrame]]:
    """The kinds of rows in the order in which they are loaded: what a row names stands before it.

    Frames carry the columns of files of their kind; `programs`, `groups`, `codes`, `details`, `endings` and
    `annotations`, which no file carries, have their own.
    """
    world = World(today, seed, scale)
    yield "rates", rates.frame(world)
    yield "programs", partners.programs_frame()
    yield "groups", partners.groups_frame()
    yield "partners", partners.frame()
    yield "details", partners.details_frame(world)
    yield "codes", partners.codes_frame()
    yield "organizations", customers.organizations_frame(world, subscriptions.plans_of_organizations(world))
    yield "customers", customers.frame(world, sales.buyers(world))
    yield "clicks", clicks.frame(world)
    yield "sales", sales.frame(world)
    yield "subscriptions", subscriptions.frame(world)
    yield "events", events.frame(world)
    yield "usage", usage.frame(world)
    yield "spend", spend.frame(world)
    yield "goals", goals.frame(world)
    visits = events.visits(world)
    yield "experiments", experiments.frame(world)
    yield "assignments", experiments.assignments_frame(world, visits)
    yield "exposures", experiments.exposures_frame(world, visits)
    yield "annotations", goals.annotations_frame(world)
    yield "endings", partners.endings_frame()
    for kept in (subscriptions.history, sales.orders, sales.lines, events.sign_ups, events.visits):
        kept.cache_clear()
