"""Sales of the demo: orders with their lines, invoices of subscriptions, and what is taken back of both.

Partners bring about two fifths of it, known by an explicit partner, a code, a coupon or a click.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl

from data.demo import customers, partners, products, stories, subscriptions
from data.demo.chance import Array, numbered
from data.demo.world import (
    COUNTRIES,
    CURRENCIES,
    EPOCH_DAY,
    REGIONS,
    World,
    in_november_sale,
    instant,
    major,
    moment_of,
    named,
)

ORDERS_A_DAY = 219.0
DOUBLED_ORDERS_A_DAY = 5.5
"""About what the doubled partner sells anyway."""
EXTRA_PLACE = 40_000
"""Orders of a story are numbered from here, so that they never take the number of an ordinary one."""

CHANNELS = ("web", "mobile", "marketplace", "api", "in_person", "voice")
WEB, MOBILE, MARKETPLACE, API, IN_PERSON, VOICE = range(6)
_OWN_CHANNELS = (0.58, 0.27, 0.05, 0.04, 0.06, 0.0)
_CHANNELS_OF = {
    "affiliate": (0.62, 0.36, 0.02, 0.0, 0.0, 0.0),
    "instagram": (0.22, 0.78, 0.0, 0.0, 0.0, 0.0),
    "tiktok": (0.15, 0.85, 0.0, 0.0, 0.0, 0.0),
    "shopify": (0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
    "api_integration": (0.1, 0.0, 0.0, 0.9, 0.0, 0.0),
    "white_label": (0.4, 0.15, 0.0, 0.45, 0.0, 0.0),
    "franchise": (0.1, 0.0, 0.0, 0.0, 0.9, 0.0),
    "zapier": (0.3, 0.0, 0.0, 0.7, 0.0, 0.0),
    "alexa": (0.0, 0.1, 0.0, 0.0, 0.0, 0.9),
    "google_home": (0.0, 0.1, 0.0, 0.0, 0.0, 0.9),
}
_PLACE_OF = {
    WEB: "screen",
    MOBILE: "screen",
    MARKETPLACE: "screen",
    API: "machine",
    IN_PERSON: "counter",
    VOICE: "screen",
}
KINDS = ("sale", "refund", "dispute", "dispute_won", "adjustment")
SALE, REFUND, DISPUTE, DISPUTE_WON, ADJUSTMENT = range(5)
EXPLICIT, CODE, COUPON, CLICK = range(4)
_DAY = 86_400_000_000
_UNKNOWN = -1


@lru_cache(maxsize=2)
def orders(world: World) -> pl.DataFrame:
    """Orders without their lines, in numbers: who, when, by which partner, known how, over which channel."""
    parts = [_everyday(world), _launch(world), _doubled(world), _self_referred(world)]
    table = pl.concat(parts)
    day, place = table["day"].to_numpy(), table["place"].to_numpy()
    who = table["who"].to_numpy()
    known = customers.traits(world, who)
    partner = np.where(
        table["partner"].to_numpy() >= 0, table["partner"].to_numpy(), _brought(world, day, place, known)
    )
    source, channel = _known_by(world, partner, day, place), _channel(world, partner, day, place)
    source = np.where(table["is_own"].to_numpy(), CODE, source)
    channel = np.where(table["is_own"].to_numpy(), WEB, channel)
    table = table.with_columns(
        pl.Series("partner", partner),
        pl.Series("source", np.where(partner >= 0, source, _UNKNOWN)),
        pl.Series("channel", channel),
        pl.Series("country", known.country),
        pl.Series("region", known.region),
        pl.Series("currency", known.currency),
        pl.Series("organization", known.organization),
        pl.Series("moment", world.moments(day, known.region, "order", place)),
        pl.Series("is_anonymous", _anonymous(world, channel, source, partner, day, place)),
    )
    outage = world.stories["outage"]
    out = (pl.col("region") == REGIONS.index(stories.OUT_REGION)) & pl.col("moment").is_between(
        moment_of(outage.since), moment_of(outage.until), closed="left"
    )
    return table.filter(~out)


def _everyday(world: World) -> pl.DataFrame:
    day, place = numbered(
        world.days, world.chance.count(ORDERS_A_DAY * world.scale * world.level(world.days), "orders", world.days)
    )
    return _orders(day, place, _buyers(world, day, place))


def _orders(
    day: Array, place: Array, who: Array, *, partner: int = _UNKNOWN, product: int = _UNKNOWN, is_own: bool = False
) -> pl.DataFrame:
    return pl.DataFrame({"day": day, "place": place, "who": who}).with_columns(
        partner=pl.lit(partner, dtype=pl.Int64), product=pl.lit(product, dtype=pl.Int64), is_own=pl.lit(is_own)
    )


def _buyers(world: World, day: Array, place: Array) -> Array:
    """Some signed up today, most in the last months, a few long ago; within a day's queue the first buy most."""
    chance, keys = world.chance, (day, place)
    kind = chance.uniform("buyer/kind", *keys)
    mean = np.where(kind < 0.62, 45.0, 300.0)
    age = np.where(kind < 0.13, 0, np.minimum(chance.waiting(mean, "buyer/age", *keys), 900)).astype(np.int64)
    queue = customers.signed_up(world, day - age)
    eager = chance.uniform("buyer/place", *keys) ** 1.7
    return customers.number(day - age, (eager * queue).astype(np.int64))


def _launch(world: World) -> pl.DataFrame:
    """The first weeks of a launched product: a peak that fades."""
    story = world.stories["launch"]
    days = _days_of(world, story)
    fading = np.exp(-(days - story.since.toordinal()) / 7.0)
    counts = np.maximum(np.rint(story.strength * world.scale * fading), 1).astype(np.int64)
    day, place = numbered(days, counts)
    return _orders(day, place + EXTRA_PLACE, _buyers(world, day, place + EXTRA_PLACE), product=products.LAUNCHED)


def _doubled(world: World) -> pl.DataFrame:
    """As many sales again for one partner."""
    story = world.stories["partner_doubles"]
    days = _days_of(world, story)
    more = DOUBLED_ORDERS_A_DAY * (story.strength - 1) * 1.2 * world.scale * world.level(days)
    day, place = numbered(days, world.chance.count(more, "doubled", days))
    place = place + EXTRA_PLACE + 5_000
    return _orders(day, place, _buyers(world, day, place), partner=partners.position(stories.DOUBLED_PARTNER))


def _self_referred(world: World) -> pl.DataFrame:
    """A handful of small orders a day by the partner's own people, whatever the size of the demo."""
    story = world.stories["self_referral"]
    days = _days_of(world, story)
    day, place = numbered(days, np.full(len(days), int(story.strength)))
    who = customers.self_customer(world.chance.below(6, "self/who", day, place))
    partner = partners.position(stories.SELF_REFERRER)
    return _orders(day, place + EXTRA_PLACE + 9_000, who, partner=partner, product=products.SMALLEST, is_own=True)


def _days_of(world: World, story: stories.Story) -> Array:
    last = min(story.until.toordinal() - 1, world.today.toordinal())
    return np.arange(max(story.since.toordinal(), world.first.toordinal()), last + 1)


def _brought(world: World, day: Array, place: Array, known: customers.Traits) -> Array:
    """The partner who once brought the customer, mostly; else, now and then, another of the region."""
    chance, keys = world.chance, (day, place)
    other = np.full(len(day), _UNKNOWN)
    weights = partners.home_weights()
    for region in range(len(REGIONS)):
        here = known.region == region
        other[here] = chance.pick(weights[region], "order/other partner", day[here], place[here])
    loyal = chance.uniform("order/by home partner", *keys) < 0.86
    strays = chance.uniform("order/by other partner", *keys) < 0.06
    chosen = np.where((known.partner >= 0) & loyal, known.partner, np.where(strays, other, _UNKNOWN))
    return np.where(partners.is_selling(world, np.maximum(chosen, 0), day), chosen, _UNKNOWN)


def _known_by(world: World, partner: Array, day: Array, place: Array) -> Array:
    source = np.full(len(day), _UNKNOWN)
    types = np.array([p.type for p in partners.partners()])
    for type_, weights in partners.SOURCE_WEIGHTS.items():
        here = (partner >= 0) & (types[partner] == type_)
        source[here] = world.chance.pick(weights, "order/source", day[here], place[here])
    return source


def _channel(world: World, partner: Array, day: Array, place: Array) -> Array:
    channel = world.chance.pick(_OWN_CHANNELS, "order/channel", day, place)
    types = np.array([p.type for p in partners.partners()])
    for type_, weights in _CHANNELS_OF.items():
        here = (partner >= 0) & (types[partner] == type_)
        channel[here] = world.chance.pick(weights, "order/channel", day[here], place[here])
    return channel


def _anonymous(world: World, channel: Array, source: Array, partner: Array, day: Array, place: Array) -> Array:
    """Marketplaces and counters often do not say who bought."""
    rate = np.where(channel == MARKETPLACE, 0.25, np.where(channel == IN_PERSON, 0.40, 0.02))
    asked = (partner >= 0) & (source == CLICK)
    unasked = world.chance.uniform("order/anonymous", day, place) < rate
    return np.asarray(unasked & ~asked & (place < EXTRA_PLACE))


@lru_cache(maxsize=2)
def lines(world: World) -> pl.DataFrame:
    """Every sold line, of orders and of invoices, in numbers, oldest first."""
    return pl.concat([_order_lines(world), _invoice_lines(world)], how="diagonal").sort("moment", "a", "b", "line")


def _order_lines(world: World) -> pl.DataFrame:
    chance = world.chance
    order = orders(world)
    day, place = order["day"].to_numpy(), order["place"].to_numpy()
    many = 1 + chance.pick((0.68, 0.21, 0.08, 0.03), "lines", day, place)
    many = np.where(order["is_own"].to_numpy(), 1, many)
    at, line = numbered(np.arange(len(day)), many)
    table = order[at].with_columns(pl.Series("line", line + 1))
    keys = (table["day"].to_numpy(), table["place"].to_numpy(), line)
    product = _product(world, table, keys)
    currency = table["currency"].to_numpy()
    most = np.array([p.most_at_once for p in products.PRODUCTS])[product]
    quantity = 1 + (most * chance.uniform("line/quantity", *keys) ** 2.5).astype(np.int64)
    cents = np.array([p.cents for p in products.PRODUCTS])[product]
    percent = np.where(in_november_sale(keys[0]), 15, 0) + np.where(table["source"].to_numpy() == COUPON, 10, 0)
    return table.select(
        pl.col("day").alias("a"),
        pl.col("place").alias("b"),
        "line",
        "who",
        "moment",
        "partner",
        "source",
        "channel",
        "country",
        "region",
        "currency",
        "organization",
        "is_anonymous",
        "is_own",
        pl.Series("product", product),
        pl.Series("quantity", quantity),
        pl.Series("minor", products.after_discount(products.price(cents, currency) * quantity, percent)),
        pl.lit(False).alias("is_invoice"),
    )


def _product(world: World, table: pl.DataFrame, keys: tuple[Array, Array, Array]) -> Array:
    chance, channel = world.chance, table["channel"].to_numpy()
    product = np.zeros(len(channel), dtype=np.int64)
    for where in ("screen", "counter", "machine"):
        here = np.isin(channel, [c for c, place in _PLACE_OF.items() if place == where])
        product[here] = chance.pick(products.weights(where), "line/product", *(key[here] for key in keys))
    calendar = (keys[0] - EPOCH_DAY).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    festive = (calendar >= 9) & (chance.uniform("line/festive", *keys) < 0.09) & (channel != API)
    product = np.where(festive, products.CALENDAR, product)
    early = (product == products.LAUNCHED) & (keys[0] < world.stories["launch"].since.toordinal())
    product = np.where(early, products.BEFORE_LAUNCH, product)
    forced = table["product"].to_numpy()
    return np.where((forced >= 0) & (keys[2] == 0), forced, product)


def _invoice_lines(world: World) -> pl.DataFrame:
    """A line for each payment of a subscription, and a second one where more was used than the plan includes."""
    _, paid = subscriptions.history(world)
    start, place, step = (paid[name].to_numpy() for name in ("start", "place", "step"))
    currency = paid["currency_at"].to_numpy()
    partner = paid["partner_at"].to_numpy()
    base = pl.DataFrame(
        {
            "a": start,
            "b": place,
            "step": step,
            "line": np.ones(len(start), dtype=np.int64),
            "who": paid["who"],
            "moment": paid["moment"],
            "partner": partner,
            "source": np.where(partner >= 0, EXPLICIT, _UNKNOWN),
            "channel": np.where(world.chance.uniform("invoice/channel", start, place) < 0.7, WEB, MOBILE),
            "country": paid["country_at"],
            "region": paid["region_at"],
            "currency": currency,
            "organization": paid["organization_at"],
            "product": paid["plan"],
            "quantity": paid["seats"],
            "minor": paid["amount_minor"] - paid["discount_minor"],
        }
    ).with_columns(is_anonymous=pl.lit(False), is_own=pl.lit(False), is_invoice=pl.lit(True), plan=pl.col("product"))
    extra = _extra_units(world, paid)
    more = base.filter(pl.Series(extra > 0)).with_columns(
        line=pl.lit(2, dtype=pl.Int64),
        product=pl.lit(len(products.PLANS), dtype=pl.Int64),
        quantity=pl.Series(extra[extra > 0]),
        minor=pl.Series(
            products.price(np.full(len(extra), products.EXTRA_UNIT_CENTS * 10), currency) * extra // 10
        ).filter(pl.Series(extra > 0)),
    )
    return pl.concat([base, more])


def _extra_units(world: World, paid: pl.DataFrame) -> Array:
    """Units over plan that an organization's monthly invoice charges; 0 for most."""
    start, place, step = (paid[name].to_numpy() for name in ("start", "place", "step"))
    busy = paid["plan"].to_numpy() >= subscriptions.BUSINESS
    uses = world.chance.uniform("extra/uses", start, place, step) < 0.15 + 0.4 * paid["eagerness"].to_numpy()
    units = np.rint(np.exp(4.0 + 0.9 * world.chance.normal("extra/units", start, place, step))).astype(np.int64)
    return np.where(busy & ~paid["is_annual"].to_numpy() & (step > 0) & uses, units, 0)


def _takebacks(world: World, sold: pl.DataFrame) -> pl.DataFrame:
    """Refunds and disputes of sold lines, never more than was paid; part of the disputes is won."""
    keys = _line_keys(sold)
    chance, minor, moment = world.chance, sold["minor"].to_numpy(), sold["moment"].to_numpy()
    invoice, product = sold["is_invoice"].to_numpy(), sold["product"].to_numpy()
    story = world.stories["refund_wave"]
    since, until = moment_of(story.since), moment_of(story.until)
    rates = np.array([p.refund_rate for p in products.PRODUCTS])[np.where(invoice, 0, product)]
    rate = np.where(invoice, 0.012, rates)
    faulty = ~invoice & (product == products.REFUNDED) & (moment >= since - 30 * _DAY) & (moment < until - 2 * _DAY)
    refunded = chance.uniform("refund", *keys) < np.where(faulty, story.strength, rate)
    wait = 1 + np.minimum(chance.waiting(8.0, "refund/wait", *keys), 60)
    at = moment + (wait * _DAY).astype(np.int64)
    wave = np.maximum(since, moment + _DAY)
    at = np.where(faulty, wave + (chance.uniform("refund/wave", *keys) * (until - wave)).astype(np.int64), at)
    at = at // 1_000_000 * 1_000_000
    share = np.where(chance.uniform("refund/partial", *keys) < 0.22, 20 + chance.below(70, "refund/share", *keys), 100)
    first = np.maximum(products.after_discount(minor, 100 - share), 1)
    again = refunded & (share < 100) & (chance.uniform("refund/again", *keys) < 0.3)
    second = minor - first
    disputed = ~refunded & (chance.uniform("dispute", *keys) < 0.0042) & (minor > 0)
    dispute_at = moment + (4 + chance.below(30, "dispute/wait", *keys)) * _DAY + 3_600_000_000
    won = disputed & (chance.uniform("dispute/won", *keys) < 0.35)
    won_at = dispute_at + (15 + chance.below(30, "dispute/decided", *keys)) * _DAY
    return pl.concat(
        [
            _taken(sold, refunded & (minor > 0), REFUND, -first, at, 1),
            _taken(sold, again & (second > 0), REFUND, -second, at + 3 * _DAY, 2),
            _taken(sold, disputed, DISPUTE, -minor, dispute_at, 3),
            _taken(sold, won, DISPUTE_WON, minor, won_at, 4),
        ]
    )


def _taken(sold: pl.DataFrame, chosen: Array, kind: int, minor: Array, at: Array, nth: int) -> pl.DataFrame:
    return sold.filter(pl.Series(chosen)).with_columns(
        kind=pl.lit(kind, dtype=pl.Int64),
        minor=pl.Series(minor[chosen]),
        moment=pl.Series(at[chosen]),
        nth=pl.lit(nth, dtype=pl.Int64),
    )


def _adjustments(world: World, sold: pl.DataFrame) -> pl.DataFrame:
    """Small credits as goodwill, with no sale that they belong to; and a few refunds whose sale is unknown."""
    draw = world.chance.uniform("adjustment", *_line_keys(sold))
    kind = np.where(draw < 0.001, ADJUSTMENT, REFUND)
    chosen = (draw < 0.0014) & ~sold["is_own"].to_numpy()
    return sold.filter(pl.Series(chosen)).with_columns(
        kind=pl.Series(kind[chosen]),
        minor=-(pl.col("minor") // 4) - 1,
        moment=pl.col("moment") + 2 * _DAY,
        nth=pl.lit(5, dtype=pl.Int64),
    )


def _line_keys(sold: pl.DataFrame) -> tuple[Array, Array, Array]:
    """What tells lines apart: day and place of the order and line, or start, place and payment of the subscription."""
    line = sold["line"].to_numpy() + 10 * sold["step"].fill_null(0).to_numpy()
    return sold["a"].to_numpy(), sold["b"].to_numpy() + 10**6 * sold["is_invoice"].to_numpy(), line


def frame(world: World) -> pl.DataFrame:
    """Every sale row, oldest first, so that whatever is taken back was sold before."""
    sold = lines(world).with_columns(kind=pl.lit(SALE, dtype=pl.Int64), nth=pl.lit(0, dtype=pl.Int64))
    rows = pl.concat([sold, _takebacks(world, sold), _adjustments(world, sold)])
    return _texts(rows.filter(pl.col("moment") < world.end).sort("moment", "a", "b", "line", "nth"))


def _texts(rows: pl.DataFrame) -> pl.DataFrame:
    """Numbers become what a file would say."""
    codes = tuple(p.code for p in partners.partners())
    partner, source = rows["partner"].to_numpy(), rows["source"].to_numpy()
    invoice, product = rows["is_invoice"].to_numpy(), rows["product"].to_numpy()
    is_sold = rows["nth"].to_numpy() == 0  # what is taken back belongs to whoever the sale belonged to
    names = (*products.NAMES, *products.PLAN_PRODUCTS, products.EXTRA_UNITS)
    categories = (*products.CATEGORIES, *("plans" for _ in products.PLANS), "usage")
    what = np.where(invoice, product + len(products.NAMES), product)
    who = np.where(rows["is_anonymous"].to_numpy(), _UNKNOWN, rows["who"].to_numpy())
    by = {
        name: np.where((source == position) & is_sold, partner, _UNKNOWN)
        for position, name in enumerate(partners.SOURCES)
    }
    table = rows.with_columns(
        order=_order_ids(rows),
        currency_code=named("currency_code", CURRENCIES, rows["currency"].to_numpy()),
    ).with_columns(line_id=pl.concat_str("order", pl.lit("-"), pl.col("line").cast(pl.String)))
    taken = (pl.col("nth") > 0) & (pl.col("nth") < 5)
    nth = pl.concat_str(pl.col("line_id"), pl.lit("-r"), pl.col("nth").cast(pl.String))
    return table.select(
        source_id=pl.when(pl.col("nth") > 0).then(nth).otherwise("line_id"),
        order_id=pl.when(pl.col("nth") == 5).then(nth).otherwise("order"),
        line_no="line",
        kind=named("kind", KINDS, rows["kind"].to_numpy()),
        at=instant("at", rows["moment"].to_numpy()),
        amount=major("minor", "currency_code"),
        currency="currency_code",
        customer=customers.ids("customer", who),
        organization=customers.organization_ids(
            "organization", np.where(who >= 0, rows["organization"].to_numpy(), -1)
        ),
        product=named("product", names, what),
        category=named("category", categories, what),
        plan=named("plan", products.PLANS, np.where(invoice, rows["plan"].fill_null(0).to_numpy(), -1)),
        region=named("region", REGIONS, rows["region"].to_numpy()),
        country=named("country", tuple(c[0] for c in COUNTRIES), rows["country"].to_numpy()),
        channel=named("channel", CHANNELS, rows["channel"].to_numpy()),
        quantity=pl.when(pl.col("nth") == 0).then("quantity"),
        partner=named("partner", codes, by["explicit"]),
        referral_code=named("referral_code", [partners.link_code(p) for p in partners.partners()], by["referral_code"]),
        coupon=named("coupon", [partners.coupon_code(p) for p in partners.partners()], by["coupon"]),
        visitor=pl.when(pl.Series(by["click"] >= 0)).then(customers.users("who", rows["who"].to_numpy())),
        refunds=pl.when(taken).then("line_id"),
    )


def _order_ids(rows: pl.DataFrame) -> pl.Series:
    day = (pl.col("a") - EPOCH_DAY).cast(pl.Int32).cast(pl.Date).dt.strftime("%Y%m%d")
    place = pl.col("b").cast(pl.String)
    order = pl.concat_str(pl.lit("o-"), day, pl.lit("-"), place)
    invoice = pl.concat_str(
        pl.lit("i-"), day, pl.lit("-"), place, pl.lit("-"), pl.col("step").fill_null(0).cast(pl.String)
    )
    return rows.select(pl.when("is_invoice").then(invoice).otherwise(order).alias("order")).to_series()


def buyers(world: World) -> Array:
    """The numbers of all customers who bought or subscribed."""
    sold = lines(world).filter(~pl.col("is_anonymous"))
    changes, _ = subscriptions.history(world)
    return np.unique(np.concatenate([sold["who"].to_numpy(), changes["who"].to_numpy()]))
