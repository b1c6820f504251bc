"""Requests of the demo: what organizations ask of eight models of three providers, and calls of partners' software."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from data.demo import customers, partners, stories
from data.demo.chance import Array, numbered
from data.demo.world import EPOCH_DAY, World, instant, moment_of, named

REQUESTS_A_DAY = 345.0
API_PART = 0.24


@dataclass(frozen=True, slots=True)
class Model:
    """`latency_ms` is the median; `prices_nano` are US nano-dollars a token (input, cached, output), made up, where
    the provider reports a cost."""

    provider: str
    name: str
    weight: float
    latency_ms: int
    error_rate: float
    quality: float
    cached: float
    thinks: bool = False
    prices_nano: tuple[int, int, int] | None = None


MODELS = (
    Model("openai", "gpt-4o", 18, 1150, 0.012, 0.80, 0.25, prices_nano=(2_500, 1_250, 10_000)),
    Model("openai", "gpt-4o-mini", 24, 620, 0.010, 0.70, 0.20),
    Model("openai", "o4-mini", 6, 3900, 0.018, 0.84, 0.10, thinks=True),
    Model("anthropic", "claude-sonnet-4-5", 13, 1600, 0.009, 0.86, 0.35, prices_nano=(3_000, 300, 15_000)),
    Model("anthropic", "claude-haiku-4-5", 10, 780, 0.008, 0.76, 0.30),
    Model("anthropic", "claude-opus-4-1", 2, 2900, 0.011, 0.90, 0.35),
    Model("gemini", "gemini-2.5-pro", 9, 1900, 0.016, 0.85, 0.15, thinks=True),
    Model("gemini", "gemini-2.5-flash", 18, 540, 0.013, 0.73, 0.15),
)
CHEAPER = [model.name for model in MODELS].index(stories.CHEAPER_MODEL)
SLOWER = [model.name for model in MODELS].index(stories.SLOWER_MODEL)
FEATURES: tuple[tuple[str, float, float, float, float], ...] = (
    ("photo_tags", 0.42, 900.0, 90.0, 0.10),
    ("captions", 0.18, 700.0, 140.0, 0.08),
    ("background", 0.14, 1400.0, 60.0, 0.12),
    ("portraits", 0.10, 2200.0, 260.0, 0.16),
    ("search", 0.11, 350.0, 40.0, 0.05),
    ("support_chat", 0.05, 2600.0, 420.0, 0.03),
)
"""Feature, its part of requests, its usual input and output tokens, and how often it leads to a purchase."""
VARIANTS = ("prompt-a", "prompt-b")
ENDPOINTS = ("v1/tags", "v1/background", "v1/catalogue", "v1/orders")
OUTCOMES = ("ok", "error", "timeout", "refused", "throttled")
OK, ERROR, TIMEOUT, REFUSED, THROTTLED = range(5)


def frame(world: World) -> pl.DataFrame:
    """All requests, oldest first; two days of them were lost."""
    mean = REQUESTS_A_DAY * world.scale * world.level(world.days)
    day, place = numbered(world.days, world.chance.count(mean, "requests", world.days))
    is_api = world.chance.uniform("request/api", day, place) < API_PART
    table = pl.concat(
        [_ai(world, day[~is_api], place[~is_api]), _api(world, day[is_api], place[is_api])], how="diagonal"
    )
    gap = world.stories["data_gap"]
    lost = pl.col("moment").is_between(moment_of(gap.since), moment_of(gap.until), closed="left")
    return _texts(table.filter(~lost).sort("moment", "source_id"))


def _ai(world: World, day: Array, place: Array) -> pl.DataFrame:
    chance, keys = world.chance, (day, place)
    organization = (chance.uniform("request/organization", *keys) ** 2.4 * customers.organizations(world)).astype(
        np.int64
    )
    partner = customers.organization_partner(world, organization)
    partner = np.where(partners.is_selling(world, np.maximum(partner, 0), day), partner, -1)
    inside = chance.uniform("request/own staff", *keys) < 0.08
    region = chance.below(3, "request/region", organization)
    moment = world.moments(day, region, "request", place)
    feature = chance.pick([f[1] for f in FEATURES], "request/feature", *keys)
    model = chance.pick([m.weight for m in MODELS], "request/model", *keys)
    variant = chance.below(2, "request/variant", *keys)
    outcome, latency = _answered(world, model, moment, keys)
    answered = outcome == OK
    tokens = _tokens(world, model, feature, answered, keys)
    quality = (
        np.array([m.quality for m in MODELS])[model] + 0.03 * variant + 0.13 * chance.normal("request/quality", *keys)
    )
    rated = answered & (chance.uniform("request/rated", *keys) < 0.18)
    converts = np.array([f[4] for f in FEATURES])[feature] * (
        0.4 + 0.75 * np.array([m.quality for m in MODELS])[model] + 0.25 * variant
    )
    followed = answered & (chance.uniform("request/followed", *keys) < 0.4)
    return pl.DataFrame(
        {
            "source_id": _ids("q", day, place),
            "kind": ["ai"] * len(day),
            "provider": named("provider", [m.provider for m in MODELS], model),
            "model": named("model", [m.name for m in MODELS], model),
            "organization": customers.organization_ids("organization", np.where(inside, -1, organization)),
            "partner": named("partner", _codes(), np.where(inside, -1, partner)),
            "feature": named("feature", [f[0] for f in FEATURES], feature),
            "variant": named("variant", VARIANTS, variant),
            **tokens,
            "latency_ms": latency,
            "outcome": named("outcome", OUTCOMES, outcome),
            "quality": pl.Series(np.clip(np.round(quality, 2), 0, 1)).set(pl.Series(~rated), None),
            "converted": pl.Series(chance.uniform("request/converts", *keys) < converts).set(
                pl.Series(~followed), None
            ),
            "cost_nano": _reported(world, model, moment, tokens),
            "moment": moment,
        }
    )


def _answered(world: World, model: Array, moment: Array, keys: tuple[Array, Array]) -> tuple[Array, Array]:
    """How each request ended and how long it took; one model is slow for some days."""
    chance, story = world.chance, world.stories["latency_regression"]
    slow = (model == SLOWER) & (moment >= moment_of(story.since)) & (moment < moment_of(story.until))
    error = np.array([m.error_rate for m in MODELS])[model]
    draw = chance.uniform("request/outcome", *keys)
    timeout = np.where(slow, 0.06, 0.005)
    bounds = np.cumsum([error, timeout, np.full(len(model), 0.004), np.full(len(model), 0.006)], axis=0)
    outcome = np.select([draw < bounds[0], draw < bounds[1], draw < bounds[2], draw < bounds[3]], [1, 2, 3, 4], OK)
    median = np.array([m.latency_ms for m in MODELS])[model] * np.where(slow, story.strength, 1.0)
    latency = np.rint(median * np.exp(0.38 * chance.normal("request/latency", *keys))).astype(np.int64)
    return outcome, np.where(outcome == TIMEOUT, 30_000, latency)


def _tokens(world: World, model: Array, feature: Array, answered: Array, keys: tuple[Array, Array]) -> dict[str, Array]:
    chance = world.chance
    spread = np.exp(0.45 * chance.normal("request/input", *keys))
    inputs = np.maximum(np.rint(np.array([f[2] for f in FEATURES])[feature] * spread), 20).astype(np.int64)
    outputs = np.maximum(
        np.rint(np.array([f[3] for f in FEATURES])[feature] * np.exp(0.5 * chance.normal("request/output", *keys))), 1
    )
    outputs = np.where(answered, outputs, 0).astype(np.int64)
    thinks = np.array([m.thinks for m in MODELS])[model]
    thought = np.where(
        thinks & answered, np.rint(outputs * (1.5 + 2 * chance.uniform("request/thought", *keys))), 0
    ).astype(np.int64)
    hit = chance.uniform("request/cached", *keys) < np.array([m.cached for m in MODELS])[model]
    cached = np.where(hit, inputs // 128 * 96, 0)
    return {
        "input_tokens": inputs,
        "cached_tokens": np.minimum(cached, inputs),
        "output_tokens": outputs + thought,
        "reasoning_tokens": thought,
    }


def _reported(world: World, model: Array, moment: Array, tokens: dict[str, Array]) -> pl.Series:
    """What the provider said that it costs, in nano-dollars; two models report it, and one becomes cheaper."""
    story = world.stories["price_drop"]
    prices = np.array([m.prices_nano or (0, 0, 0) for m in MODELS])[model]
    fresh = tokens["input_tokens"] - tokens["cached_tokens"]
    full = fresh * prices[:, 0] + tokens["cached_tokens"] * prices[:, 1] + tokens["output_tokens"] * prices[:, 2]
    cheaper = (model == CHEAPER) & (moment >= moment_of(story.since))
    cost = np.where(cheaper, full * round(story.strength * 100) // 100, full)
    return pl.Series(cost, dtype=pl.Int64).set(pl.Series(prices[:, 0] == 0), None)


def _api(world: World, day: Array, place: Array) -> pl.DataFrame:
    """Calls of our own interface by partners' software."""
    chance, keys = world.chance, (day, place)
    calling = [p.size if p.type in ("api_integration", "white_label", "zapier") else 0.0 for p in partners.partners()]
    partner = chance.pick(calling, "call/partner", *keys)
    partner = np.where(partners.is_selling(world, partner, day), partner, -1)
    endpoint = chance.pick((0.5, 0.2, 0.18, 0.12), "call/endpoint", *keys)
    draw = chance.uniform("call/outcome", *keys)
    outcome = np.select([draw < 0.006, draw < 0.008, draw < 0.02], [ERROR, TIMEOUT, THROTTLED], OK)
    latency = np.rint(85 * np.exp(0.5 * chance.normal("call/latency", *keys))).astype(np.int64)
    return pl.DataFrame(
        {
            "source_id": _ids("a", day, place),
            "kind": ["api"] * len(day),
            "provider": ["lanternfish"] * len(day),
            "model": named("model", ENDPOINTS, endpoint),
            "partner": named("partner", _codes(), partner),
            "feature": ["api"] * len(day),
            "latency_ms": np.where(outcome == TIMEOUT, 10_000, latency),
            "outcome": named("outcome", OUTCOMES, outcome),
            "moment": world.moments(day, chance.below(3, "call/region", *keys), "call", place),
        }
    )


def _texts(table: pl.DataFrame) -> pl.DataFrame:
    nano = pl.col("cost_nano")
    cost = pl.concat_str((nano // 10**9).cast(pl.String), pl.lit("."), (nano % 10**9).cast(pl.String).str.zfill(9))
    tokens = [
        pl.col(name).fill_null(0) for name in ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
    ]
    return table.select(
        "source_id",
        "kind",
        instant("at", table["moment"].to_numpy()),
        "provider",
        "model",
        "organization",
        "partner",
        "feature",
        "variant",
        *tokens,
        "latency_ms",
        "outcome",
        pl.col("quality"),
        "converted",
        pl.when(nano.is_not_null()).then(cost).alias("cost"),
        pl.when(nano.is_not_null()).then(pl.lit("USD")).alias("currency"),
    )


def _ids(prefix: str, day: Array, place: Array) -> pl.Series:
    date = pl.Series(day - EPOCH_DAY, dtype=pl.Int32).cast(pl.Date).dt.strftime("%Y%m%d")
    return pl.select(
        pl.concat_str(pl.lit(f"{prefix}-"), pl.lit(date), pl.lit("-"), pl.lit(pl.Series(place)).cast(pl.String))
    ).to_series()


def _codes() -> tuple[str, ...]:
    return tuple(p.code for p in partners.partners())
