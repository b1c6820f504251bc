"""Subscriptions of the demo: trials, payments, upgrades, discounts, past due, pauses, churn and coming back.

Each subscription is followed from payment to payment. Every payment leaves a change (with the day up to which it
is now paid) and a sale, so that recurring revenue and revenue tell the same story.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import polars as pl

from data.demo import customers, partners, products, stories
from data.demo.chance import Array, numbered
from data.demo.world import CURRENCIES, EPOCH_DAY, REGIONS, World, instant, major, moment_of, named

STARTS_A_DAY = 8.2
PLAN_WEIGHTS = (0.24, 0.46, 0.24, 0.06)
CHURN_A_MONTH = np.array([0.055, 0.042, 0.024, 0.012])
BUSINESS = products.PLANS.index("business")
TRIAL_DAYS = 14
DUNNING_DAYS = 14

STATUSES = ("trialing", "active", "past_due", "paused", "cancelled", "ended")
TRIALING, ACTIVE, PAST_DUE, PAUSED, CANCELLED, ENDED = range(6)
_DAY = 86_400_000_000


@dataclass
class Book:
    """The subscriptions being followed: what each is now, by position."""

    start: Array
    place: Array
    who: Array
    traits: customers.Traits
    eagerness: Array
    """0 to 1: how much they use what they pay for. It shows in events and in churn."""
    seconds: Array
    plan: Array
    seats: Array
    is_annual: Array
    discount: Array
    """Percent, while it lasts."""
    discount_until: Array
    """The number of the first payment without it."""


@lru_cache(maxsize=2)
def history(world: World) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All changes and all payments up to the end of today, in numbers; each oldest first."""
    book = _opened(world)
    rows, payments = _Rows(book), _Rows(book)
    due, alive = _trials(world, book, rows)
    period = due.copy()  # the day from which billing counts
    paid = np.zeros(len(due), dtype=np.int64)  # payments since then
    last_day = world.today.toordinal()
    for step in range(60):
        at = np.flatnonzero(alive & (due <= last_day))
        if not len(at):
            break
        _change_plan(world, book, at, step)
        pays, fails = _charge(world, book, at, step, due, rows)
        book.discount[at] = np.where(step >= book.discount_until[at], 0, book.discount[at])
        month = np.where(book.is_annual[at], 12, 1)
        following = _months_later(period[at], (paid[at] + 1) * month)
        rows.add(at[pays >= 0], pays[pays >= 0], ACTIVE, following[pays >= 0], step)
        payments.add(at[pays >= 0], pays[pays >= 0], ACTIVE, following[pays >= 0], step)
        rows.add(at[fails], due[at][fails] + DUNNING_DAYS, ENDED, due[at][fails], step)
        leaves, pauses = _leave(world, book, at, step, following)
        leaves, pauses = leaves & ~fails, pauses & ~fails
        goes = at[leaves]
        length = (following - due[at])[leaves]
        cancelled = (
            due[goes] + DUNNING_DAYS + world.chance.below(length - DUNNING_DAYS, *_keys("cancel", book, goes, step))
        )
        rows.add(goes, cancelled, CANCELLED, following[leaves], step)
        rows.add(goes, following[leaves], ENDED, following[leaves], step)
        rows.add(at[pauses], following[pauses], PAUSED, following[pauses], step)
        gone = leaves | pauses | fails
        gap = 30 + world.chance.below(120, *_keys("gap", book, at, step))
        returns = pauses | (gone & (world.chance.uniform(*_keys("returns", book, at, step)) < 0.13))
        back = np.maximum(following, due[at] + DUNNING_DAYS + 1) + gap
        alive[at] = ~gone | returns
        due[at] = np.where(gone, back, following)
        paid[at] = np.where(gone, 0, paid[at] + 1)
        period[at] = np.where(gone, back, period[at])
    return rows.frame(world), payments.frame(world)


def _opened(world: World) -> Book:
    """Who subscribes on which day, to what."""
    chance, days = world.chance, world.days
    busy = STARTS_A_DAY * world.scale * world.trend(days) * np.where((days - 1) % 7 > 4, 0.7, 1.1)
    start, place = numbered(days, chance.count(busy, "subscriptions", days))
    keys = (start, place)
    plan = chance.pick(PLAN_WEIGHTS, "subscription/plan", *keys)
    by_organization = plan >= BUSINESS
    who = customers.number(start, chance.below(customers.signed_up(world, start), "subscription/who", *keys))
    firm = customers.contact(chance.below(customers.organizations(world), "subscription/firm", *keys))
    who = np.where(by_organization, firm, who)
    them = customers.traits(world, who)
    brought = np.where(partners.is_selling(world, np.maximum(them.partner, 0), start), them.partner, -1)
    offered = chance.uniform("subscription/offer", *keys) < 0.2
    return Book(
        start=start,
        place=place,
        who=who,
        traits=replace(them, partner=brought),
        eagerness=chance.uniform("subscription/eagerness", *keys),
        seconds=chance.below(86_000, "subscription/second", *keys),
        plan=plan,
        seats=np.where(by_organization, 1 + chance.below(6, "subscription/seats", *keys) // 2, 1),
        is_annual=chance.uniform("subscription/annual", *keys) < 0.17,
        discount=np.where(offered, 10 * (2 + chance.below(4, "subscription/discount", *keys)), 0),
        discount_until=np.full(len(start), 3, dtype=np.int64),
    )


def _trials(world: World, book: Book, rows: _Rows) -> tuple[Array, Array]:
    """The first due day of each, and which ever come to pay."""
    every = np.arange(len(book.start))
    chance = world.chance
    tries = chance.uniform("trial", book.start, book.place) < 0.45
    stays = chance.uniform("trial/stays", book.start, book.place) < 0.35 + 0.55 * book.eagerness
    due = np.where(tries, book.start + TRIAL_DAYS, book.start)
    none = np.full(len(every), -1)
    rows.add(every[tries], book.start[tries], TRIALING, none[tries], 0)
    lost = tries & ~stays
    rows.add(every[lost], due[lost], ENDED, none[lost], 0)
    return due, ~lost


def _change_plan(world: World, book: Book, at: Array, step: int) -> None:
    """Now and then a payment is for a larger or a smaller plan, or for one seat more."""
    if step == 0:
        return
    drawn = world.chance.uniform(*_keys("plan", book, at, step))
    private = book.plan[at] < BUSINESS
    top = np.where(private, BUSINESS - 1, len(products.PLANS) - 1)
    bottom = np.where(private, 0, BUSINESS)
    up = np.minimum(book.plan[at] + 1, top)
    down = np.maximum(book.plan[at] - 1, bottom)
    book.plan[at] = np.where(drawn < 0.022, up, np.where(drawn > 0.991, down, book.plan[at]))
    one_more = ~private & (world.chance.uniform(*_keys("seat", book, at, step)) < 0.035)
    book.seats[at] = np.where(one_more, book.seats[at] + 1, book.seats[at])


def _charge(world: World, book: Book, at: Array, step: int, due: Array, rows: _Rows) -> tuple[Array, Array]:
    """The day on which each payment comes in (−1: never), and which subscriptions end unpaid."""
    late = (world.chance.uniform(*_keys("late", book, at, step)) < 0.03) & (step > 0)
    recovers = world.chance.uniform(*_keys("recovers", book, at, step)) < 0.7
    rows.add(at[late], due[at][late], PAST_DUE, due[at][late], step)
    after = 3 + world.chance.below(8, *_keys("recovery", book, at, step))
    pays = np.where(late, due[at] + after, due[at])
    fails = late & ~recovers
    return np.where(fails, -1, pays), fails


def _leave(world: World, book: Book, at: Array, step: int, following: Array) -> tuple[Array, Array]:
    """Who cancels within the period that begins, and who pauses after it. The eager stay."""
    annual = np.where(book.is_annual[at], 5.0, 1.0)
    early = 1.5 if step < 2 else 1.0
    risk = CHURN_A_MONTH[book.plan[at]] * annual * early * (1.9 - 1.8 * book.eagerness[at])
    leaves = world.chance.uniform(*_keys("leaves", book, at, step)) < risk
    pauses = ~leaves & (world.chance.uniform(*_keys("pauses", book, at, step)) < 0.004)
    return leaves, pauses


def _keys(what: str, book: Book, at: Array, step: int) -> tuple[str, Array, Array, int]:
    return f"subscription/{what}", book.start[at], book.place[at], step


class _Rows:
    """Changes as they are written down, column by column."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.parts: list[dict[str, Array]] = []

    def add(self, at: Array, day: Array, status: int, paid_until: Array, step: int) -> None:
        book = self.book
        cents = products.PLAN_CENTS[book.plan[at]] * np.where(book.is_annual[at], 10, 1)
        amount = products.price(cents, book.traits.currency[at]) * book.seats[at]
        self.parts.append(
            {
                "position": at,
                "moment": (day - EPOCH_DAY) * _DAY + book.seconds[at] * 1_000_000,
                "status": np.full(len(at), status),
                "plan": book.plan[at].copy(),
                "amount_minor": amount,
                "discount_minor": amount - products.after_discount(amount, book.discount[at]),
                "paid_until": paid_until,
                "step": np.full(len(at), step),
                "seats": book.seats[at].copy(),
                "serial": np.full(len(at), len(self.parts)),
            }
        )

    def frame(self, world: World) -> pl.DataFrame:
        book = self.book
        table = pl.DataFrame({name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]})
        at = table["position"].to_numpy()
        table = table.with_columns(
            pl.Series("start", book.start[at]),
            pl.Series("place", book.place[at]),
            pl.Series("who", book.who[at]),
            pl.Series("currency_at", book.traits.currency[at]),
            pl.Series("country_at", book.traits.country[at]),
            pl.Series("region_at", book.traits.region[at]),
            pl.Series("organization_at", book.traits.organization[at]),
            pl.Series("partner_at", book.traits.partner[at]),
            pl.Series("is_annual", book.is_annual[at]),
            pl.Series("eagerness", book.eagerness[at]),
        )
        table = table.with_columns(_after_outage(world))
        return table.filter(pl.col("moment") < world.end).sort("moment", "start", "place", "serial")


def _after_outage(world: World) -> pl.Expr:
    """What the outage kept from being charged was charged in the evening after it."""
    outage = world.stories["outage"]
    since, until = moment_of(outage.since), moment_of(outage.until)
    kept = pl.col("moment").is_between(since, until, closed="left")
    kept = kept & (pl.col("region_at") == REGIONS.index(stories.OUT_REGION))
    later = until + (pl.col("moment") - since) // 4_000_000 * 1_000_000
    return pl.when(kept).then(later).otherwise("moment").alias("moment")


def _months_later(day: Array, months: Array) -> Array:
    """The same day of a later month, or that month's last where it is shorter."""
    calendar = (day - EPOCH_DAY).astype("datetime64[D]")
    month = calendar.astype("datetime64[M]")
    within = (calendar - month).astype(np.int64)
    target = month + months
    length = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(np.int64)
    return np.asarray(target.astype("datetime64[D]").astype(np.int64) + np.minimum(within, length - 1) + EPOCH_DAY)


def names(table: pl.DataFrame) -> pl.Expr:
    """Subscriptions as sources call them, such as s-20260301-4."""
    day = (pl.col("start") - EPOCH_DAY).cast(pl.Int32).cast(pl.Date).dt.strftime("%Y%m%d")
    return pl.concat_str(pl.lit("s-"), day, pl.lit("-"), pl.col("place").cast(pl.String))


def frame(world: World) -> pl.DataFrame:
    """Every change of every subscription, oldest first."""
    table, _ = history(world)
    table = table.with_columns(
        subscription=names(table),
        currency=named("currency", CURRENCIES, table["currency_at"].to_numpy()),
        nth=pl.int_range(pl.len()).over("start", "place"),
    )
    paid = pl.when(pl.col("paid_until") > 0).then((pl.col("paid_until") - EPOCH_DAY).cast(pl.Int32).cast(pl.Date))
    return table.select(
        source_id=pl.concat_str(pl.col("subscription"), pl.lit("-"), pl.col("nth").cast(pl.String)),
        subscription="subscription",
        at=instant("at", table["moment"].to_numpy()),
        plan=named("plan", products.PLANS, table["plan"].to_numpy()),
        amount=major("amount_minor", "currency"),
        currency="currency",
        status=named("status", STATUSES, table["status"].to_numpy()),
        interval=pl.when("is_annual").then(pl.lit("year")).otherwise(pl.lit("month")),
        interval_count=pl.lit(1),
        customer=customers.ids("customer", table["who"].to_numpy()),
        organization=customers.organization_ids("organization", table["organization_at"].to_numpy()),
        partner=named("partner", tuple(p.code for p in partners.partners()), table["partner_at"].to_numpy()),
        discount=major("discount_minor", "currency"),
        paid_until=paid,
    )


def plans_of_organizations(world: World) -> dict[int, str]:
    """The plan that each organization is on today; those that never paid are left out."""
    table, _ = history(world)
    latest = table.filter(pl.col("organization_at") >= 0).group_by("organization_at", maintain_order=True).last()
    on = latest.filter(pl.col("status").is_in([ACTIVE, PAST_DUE, TRIALING]))
    return {int(o): products.PLANS[p] for o, p in zip(on["organization_at"], on["plan"], strict=True)}
