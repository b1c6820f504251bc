"""Three experiments on visitors: one with a clear winner, one in which nothing differs, one that was split wrongly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from data.demo import customers
from data.demo.chance import Array
from data.demo.world import World, instant, moment_of, named


@dataclass(frozen=True, slots=True)
class Experiment:
    code: str
    name: str
    metric: str
    weeks_ago: int
    """How many weeks before this week's Monday it began."""
    weeks: int
    treated: float
    """The part of visitors that really got the treatment; the configured part is one half."""
    lift: float
    """By how much the treatment raises the chance to activate."""


EXPERIMENTS = (
    Experiment("guided-first-photo", "A guide for the first photo", "activate", 14, 8, 0.5, 0.24),
    Experiment("free-print-banner", "A banner for a free print", "activate", 12, 7, 0.5, 0.0),
    Experiment("short-signup", "A shorter sign-up form", "activate", 4, 5, 0.57, 0.0),
)
VARIANTS = ("control", "treatment")
TAKING_PART = 0.7


def since(world: World, experiment: Experiment) -> int:
    monday = world.today - timedelta(days=world.today.weekday(), weeks=experiment.weeks_ago)
    return moment_of(monday)


def until(world: World, experiment: Experiment) -> int:
    return since(world, experiment) + experiment.weeks * 7 * 86_400_000_000


def treated(world: World, experiment: Experiment, who: Array) -> Array:
    return world.chance.uniform(f"experiment/{experiment.code}", who) < experiment.treated


def takes_part(world: World, experiment: Experiment, who: Array, moment: Array) -> Array:
    within = (moment >= since(world, experiment)) & (moment < until(world, experiment))
    return within & (world.chance.uniform(f"takes part/{experiment.code}", who) < TAKING_PART)


def lift(world: World, who: Array, signed_up_at: Array) -> Array:
    """How much likelier people activate because of the experiments that they are in."""
    total = np.zeros(len(who))
    for experiment in EXPERIMENTS:
        moved = takes_part(world, experiment, who, signed_up_at) & treated(world, experiment, who)
        total += np.where(moved, experiment.lift, 0.0)
    return total


def frame(world: World) -> pl.DataFrame:
    rows = [
        {
            "code": experiment.code,
            "name": experiment.name,
            "unit": "user",
            "variants": json.dumps(dict.fromkeys(VARIANTS, 50)),
            "metric": experiment.metric,
            "status": "ended" if until(world, experiment) <= world.end else "running",
            "started": since(world, experiment),
            "ended": until(world, experiment) if until(world, experiment) <= world.end else None,
        }
        for experiment in EXPERIMENTS
    ]
    table = pl.DataFrame(rows, schema_overrides={"ended": pl.Int64})
    return table.select(
        pl.exclude("started", "ended"),
        pl.col("started").cast(pl.Datetime("us", "UTC")).alias("started_at"),
        pl.col("ended").cast(pl.Datetime("us", "UTC")).alias("ended_at"),
    )


def assignments_frame(world: World, visits: pl.DataFrame) -> pl.DataFrame:
    """Who was put into which variant, on the first visit within the experiment. `visits`: who, moment."""
    return pl.concat([_given(world, experiment, visits) for experiment in EXPERIMENTS]).drop("who", "moment")


def exposures_frame(world: World, visits: pl.DataFrame) -> pl.DataFrame:
    """Who really saw the variant, seconds after being put into it; some leave before."""
    parts = []
    for experiment in EXPERIMENTS:
        given = _given(world, experiment, visits)
        who = given["who"].to_numpy()
        saw = world.chance.uniform(f"exposed/{experiment.code}", who) < 0.9
        seen_at = given["moment"].to_numpy() + (1 + world.chance.below(20, "exposed/after", who)) * 1_000_000
        parts.append(
            given.with_columns(
                instant("at", seen_at),
                pl.concat_str(pl.lit("e-"), "source_id").alias("source_id"),
                pl.Series("moment", seen_at),
            ).filter(pl.Series(saw) & (pl.col("moment") < world.end))
        )
    return pl.concat(parts).drop("who", "moment")


def _given(world: World, experiment: Experiment, visits: pl.DataFrame) -> pl.DataFrame:
    mask = takes_part(world, experiment, visits["who"].to_numpy(), visits["moment"].to_numpy())
    first = visits.filter(pl.Series(mask)).sort("moment", "who").unique("who", keep="first", maintain_order=True)
    who = first["who"].to_numpy()
    unit = customers.users("unit", who)
    return pl.DataFrame(
        {
            "source_id": pl.select(pl.concat_str(pl.lit(f"{experiment.code}-"), pl.lit(unit))).to_series(),
            "experiment": [experiment.code] * len(who),
            "unit": unit,
            "variant": named("variant", VARIANTS, treated(world, experiment, who).astype(np.int64)),
            "at": instant("at", first["moment"].to_numpy()),
            "who": first["who"],
            "moment": first["moment"],
        }
    )
