"""The funnel of the demo, step by step: people visit, sign up, try, activate, buy, and use what they pay for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl

from data.demo import customers, experiments, partners, sales, subscriptions
from data.demo.chance import Array, numbered
from data.demo.world import COUNTRIES, EPOCH_DAY, World, instant, moment_of, named

EVENTS = (
    "visit",
    "view_product",
    "signup",
    "trial_start",
    "activate",
    "purchase",
    "photo_upload",
    "tag_run",
    "export",
    "invite_member",
    "portal_visit",
)
(VISIT, VIEW, SIGNUP, TRIAL, ACTIVATE, PURCHASE, UPLOAD, TAG, EXPORT, INVITE, PORTAL) = range(len(EVENTS))
VISITORS_A_DAY = 92.0
"""People who come by and do not sign up."""
VISITOR_PLACE = 30_000
"""They stand in the day's queue from here."""
DEVICES = ("desktop", "phone", "tablet")
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 86_400 * _SECOND


def frame(world: World) -> pl.DataFrame:
    """All events, oldest first. `ordinal` tells the order of those that one person did at one instant."""
    table = pl.concat(
        [visits(world), _signed_up(world), _bought(world), _used(world), _partners(world)], how="diagonal"
    )
    gap = world.stories["data_gap"]
    lost = pl.col("moment").is_between(moment_of(gap.since), moment_of(gap.until), closed="left")
    begins = moment_of(world.first)
    table = table.filter(~lost & (pl.col("moment") >= begins) & (pl.col("moment") < world.end))
    return _texts(world, table.sort("moment", "who", "event", "nth"))


def users_with(world: World) -> Array:
    """Everybody who signed up within the history, bought or not."""
    day, place = numbered(world.days, customers.signed_up(world, world.days))
    return customers.number(day, place)


@lru_cache(maxsize=2)
def sign_ups(world: World) -> pl.DataFrame:
    """When each of them signed up: some time that day, and before the first purchase or trial."""
    who = users_with(world)
    bought = (
        sales.lines(world).filter(~pl.col("is_anonymous")).group_by("who").agg(pl.col("moment").min().alias("first"))
    )
    changes, _ = subscriptions.history(world)
    subscribed = changes.group_by("who", maintain_order=True).agg(
        pl.col("moment").first().alias("subscribed"),
        pl.col("status").first().alias("status"),
        pl.col("eagerness").first().alias("eagerness"),
    )
    table = pl.DataFrame({"who": who}).join(bought, on="who", how="left").join(subscribed, on="who", how="left")
    moment = world.moments(who >> 16, customers.traits(world, who).region, "sign-up", who)
    first = table.select(pl.min_horizontal("first", "subscribed").fill_null(2**62)).to_series().to_numpy()
    return table.with_columns(pl.Series("moment", np.minimum(moment, first - 3 * _MINUTE)))


@lru_cache(maxsize=2)
def visits(world: World) -> pl.DataFrame:
    """Visits of those who signed up, just before, and of those who did not."""
    chance = world.chance
    signed = sign_ups(world)
    who = signed["who"].to_numpy()
    before = (20 + chance.below(1500, "visit/before sign-up", who)) * _SECOND
    day, place = numbered(
        world.days, chance.count(VISITORS_A_DAY * world.scale * world.level(world.days), "visitors", world.days)
    )
    other = customers.number(day, place + VISITOR_PLACE)
    came = world.moments(day, customers.traits(world, other).region, "visit", place)
    again = 1 + chance.pick((0.72, 0.2, 0.08), "visit/again", other)
    at, nth = numbered(np.arange(len(other)), again)
    later = nth * (_MINUTE * 7 + chance.below(2 * 86_400, "visit/later", other[at], nth) * _SECOND)
    looks = chance.uniform("visit/looks", other) < 0.35
    looked_first = chance.uniform("visit/looks", who) < 0.55
    seen_at = signed["moment"].to_numpy() - before + 15 * _SECOND
    looked = came + (5 + chance.below(400, "visit/look after", other)) * _SECOND
    return pl.concat(
        [
            _rows(who, VISIT, signed["moment"].to_numpy() - before),
            _rows(other[at], VISIT, came[at] + later, nth),
            _rows(who[looked_first], VIEW, seen_at[looked_first]),
            _rows(other[looks], VIEW, looked[looks]),
        ]
    ).sort("moment", "who")


def _signed_up(world: World) -> pl.DataFrame:
    """Sign-up, trial and activation; the eager activate more, and sometimes at the very instant of signing up."""
    chance, signed = world.chance, sign_ups(world)
    who, moment = signed["who"].to_numpy(), signed["moment"].to_numpy()
    subscribed = signed["subscribed"].fill_null(0).to_numpy()
    by_trial = (signed["status"].fill_null(-1).to_numpy() == subscriptions.TRIALING) & (subscribed > 0)
    plain_trial = (subscribed == 0) & (chance.uniform("trial/without plan", who) < 0.25)
    tried_at = np.where(by_trial, subscribed, moment + (60 + chance.below(3600, "trial/after", who)) * _SECOND)
    tries = by_trial | plain_trial
    eager = signed["eagerness"].fill_null(0.0).to_numpy()
    rate = np.where(subscribed > 0, 0.5 + 0.45 * eager, np.where(tries, 0.55, 0.3))
    activates = chance.uniform("activate", who) < rate + experiments.lift(world, who, moment)
    wait = np.minimum(chance.waiting(9.0 * 3600, "activate/after", who), 20 * 86_400).astype(np.int64) * _SECOND
    at_once = chance.uniform("activate/at once", who) < 0.06
    active_at = np.where(at_once, moment, np.where(tries, np.maximum(tried_at, moment), moment) + 30 * _SECOND + wait)
    return pl.concat(
        [
            _rows(who, SIGNUP, moment),
            _rows(who[tries], TRIAL, tried_at[tries]),
            _rows(who[activates], ACTIVATE, active_at[activates]),
        ]
    )


def _bought(world: World) -> pl.DataFrame:
    """A purchase for each order on web or mobile by somebody known, at the moment of the sale; renewals are none."""
    seen = (pl.col("line") == 1) & ~pl.col("is_anonymous") & pl.col("channel").is_in([sales.WEB, sales.MOBILE])
    seen = seen & (pl.col("step").fill_null(0) == 0)
    bought = sales.lines(world).filter(seen)
    return _rows(bought["who"].to_numpy(), PURCHASE, bought["moment"].to_numpy(), bought["b"].to_numpy())


def _used(world: World) -> pl.DataFrame:
    """What subscribers do in a period that they paid for: more, the more eager they are."""
    _, paid = subscriptions.history(world)
    start, place, step = (paid[name].to_numpy() for name in ("start", "place", "step"))
    length = (paid["paid_until"].to_numpy() - EPOCH_DAY) * _DAY - paid["moment"].to_numpy()
    months = np.maximum(np.rint(length / (30 * _DAY)), 1)
    counts = world.chance.count(0.3 + 3.4 * paid["eagerness"].to_numpy() * np.sqrt(months), "used", start, place, step)
    at, nth = numbered(np.arange(len(start)), counts)
    keys = (start[at], place[at], step[at], nth)
    moment = (
        paid["moment"].to_numpy()[at]
        + _SECOND
        + (world.chance.uniform("used/at", *keys) * (length[at] - _DAY)).astype(np.int64) // _SECOND * _SECOND
    )
    what = np.array([UPLOAD, TAG, EXPORT, INVITE])[world.chance.pick((0.4, 0.34, 0.2, 0.06), "used/what", *keys)]
    return _rows(paid["who"].to_numpy()[at], what, moment, nth + 100 * step[at], paid["organization_at"].to_numpy()[at])


def _partners(world: World) -> pl.DataFrame:
    """Partners look at their portal: the larger ones most days."""
    all_partners = partners.partners()
    day, partner = (part.ravel() for part in np.meshgrid(world.days, np.arange(len(all_partners)), indexing="ij"))
    eager = np.minimum(np.array([p.size for p in all_partners]) / 60.0, 0.8)[partner]
    looks = (world.chance.uniform("portal", day, partner) < eager) & partners.is_selling(world, partner, day)
    day, partner = day[looks], partner[looks]
    moment = world.moments(day, partner % 3, "portal visit", partner)
    rows = _rows(np.full(len(day), -1), PORTAL, moment, day * 100 + partner)
    return rows.with_columns(pl.Series("partner_at", partner))


def _rows(
    who: Array, event: Array | int, moment: Array, nth: Array | int = 0, organization: Array | int = -1
) -> pl.DataFrame:
    size = len(who)
    return pl.DataFrame(
        {
            "who": np.asarray(who, dtype=np.int64),
            "event": np.broadcast_to(np.asarray(event, dtype=np.int64), size),
            "moment": np.asarray(moment, dtype=np.int64),
            "nth": np.broadcast_to(np.asarray(nth, dtype=np.int64), size),
            "organization": np.broadcast_to(np.asarray(organization, dtype=np.int64), size),
        }
    )


def _texts(world: World, table: pl.DataFrame) -> pl.DataFrame:
    who, moment, event = (table[name].to_numpy() for name in ("who", "moment", "event"))
    known = np.isin(who, sales.buyers(world))
    country = customers.traits(world, np.maximum(who, 0)).country
    device = world.chance.pick((0.46, 0.47, 0.07), "device", who)
    user = customers.users("user", who)
    table = table.with_columns(
        user,
        named("event", EVENTS, event),
        named("partner", tuple(p.code for p in partners.partners()), table["partner_at"].fill_null(-1).to_numpy()),
        instant("at", moment),
        pl.Series("ordinal", event),
    ).with_columns(unit=pl.coalesce("user", "partner"), number=pl.col("nth").cast(pl.String))
    source_id = pl.concat_str(
        "unit", pl.lit("-"), "event", pl.lit("-"), pl.col("at").dt.strftime("%y%m%d%H%M%S"), pl.lit("-"), "number"
    )
    session = pl.concat_str("user", pl.lit("-"), pl.col("at").dt.strftime("%y%m%d"))
    return table.select(
        source_id=source_id,
        event="event",
        at="at",
        user="user",
        account=customers.organization_ids("account", table["organization"].to_numpy()),
        partner="partner",
        customer=customers.ids("customer", np.where(known, who, -1)),
        session=session,
        ordinal="ordinal",
        country=named("country", tuple(c[0] for c in COUNTRIES), np.where(who >= 0, country, -1)),
        device=named("device", DEVICES, np.where(who >= 0, device, -1)),
    )
