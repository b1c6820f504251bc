"""Who buys in the demo: people who signed up on some day, and organizations with a contact each.

A customer is a number made of the day of signing up and the place in that day's queue. Everything else about it
(country, organization, who brought it) follows from that number, so that no list has to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from data.demo import partners, stories
from data.demo.chance import Array
from data.demo.world import COUNTRIES, CURRENCY_OF, EPOCH_DAY, REGION_OF, REGION_WEIGHT, REGIONS, World, named

SIGN_UPS_A_DAY = 40.0
ORGANIZATIONS = 1_500
BROUGHT_BY_PARTNER = 0.43
IN_ORGANIZATION = 0.14

_CONTACTS = 1
"""The day under which contacts of organizations are numbered: long before anybody signed up."""
_SELVES = 2
"""The day under which the self-referring partner's own customers are numbered."""


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words(
    "Wren Juniper Tamsin Orla Bruno Mika Haruto Yuna Salma Idris Petra Otis Fable Linus Greta Pia Anouk Casper Noor "
    "Ravi Elodie Marlow Sorrel Dag Ines Teodor Birdie Clementine Rufus Zelda Akari Farid Lotte Basil Moss Hazel"
)
_LAST = _words(
    "Applecart Brightwater Cobblepot Dapplewood Eiderdown Figgleston Gumtree Hopscotch Inkpenny Jamjar Kettlewell "
    "Lanternby Mufflin Nettlefold Oddsock Pebbleworth Quilting Rumbletum Snowbury Thimbleby Underhill Velveteen "
    "Wigglesworth Yarrowby Zephyrine Butterfield Crumpet Dewdrop Marzipan Puddleford"
)
_FIRM = _words("Amber Bluebell Copper Driftwood Ember Foxglove Granite Hollow Ivory Jasper Kestrel Lilac Meadow Nimbus")
_FIELD = _words("Atelier Bakery Camera Club Estates Florists Gallery Interiors Market Outfitters Press Studios Travel")
_FORM = _words("Co Group House Ltd Works")


@dataclass(frozen=True, slots=True)
class Traits:
    """What follows from customers' numbers: positions in the tables of countries, organizations and partners."""

    country: Array
    region: Array
    currency: Array
    organization: Array
    """−1: a private person."""
    partner: Array
    """Who brought the customer; −1: nobody."""


def number(day: Array | int, place: Array) -> Array:
    """The customer at a place of a day's queue."""
    return np.asarray((day << 16) | place)


def contact(organization: Array) -> Array:
    return number(_CONTACTS, organization)


def self_customer(place: Array) -> Array:
    return number(_SELVES, place)


def signed_up(world: World, days: Array) -> Array:
    """How many people sign up on each day, at least one."""
    return np.maximum(world.chance.count(SIGN_UPS_A_DAY * world.scale * world.level(days), "sign-ups", days), 1)


def organizations(world: World) -> int:
    return max(round(ORGANIZATIONS * world.scale), 40)


def traits(world: World, who: Array) -> Traits:
    day, place = who >> 16, who & 0xFFFF
    chance = world.chance
    organization = np.where(
        chance.uniform("customer/in organization", who) < IN_ORGANIZATION,
        chance.below(organizations(world), "customer/organization", who),
        -1,
    )
    organization = np.where(day == _CONTACTS, place, organization)
    organization = np.where(day == _SELVES, -1, organization)
    person_country = _country(world, "customer", who)
    country = np.where(organization >= 0, _country(world, "organization", organization), person_country)
    country = np.where(day == _SELVES, 0, country)
    region = REGION_OF[country]
    brought = _brought_by(world, "customer", who, region)
    brought = np.where(organization >= 0, organization_partner(world, organization), brought)
    brought = np.where(day == _SELVES, partners.position(stories.SELF_REFERRER), brought)
    return Traits(country, region, CURRENCY_OF[country], organization, brought)


def organization_partner(world: World, organization: Array) -> Array:
    region = REGION_OF[_country(world, "organization", organization)]
    return _brought_by(world, "organization", organization, region)


def _brought_by(world: World, what: str, who: Array, region: Array) -> Array:
    chosen = np.full(len(who), -1, dtype=np.int64)
    weights = partners.home_weights()
    for r in range(len(REGIONS)):
        here = region == r
        chosen[here] = world.chance.pick(weights[r], f"{what}/partner", who[here])
    return np.where(world.chance.uniform(f"{what}/brought", who) < BROUGHT_BY_PARTNER, chosen, -1)


def _country(world: World, what: str, who: Array) -> Array:
    region = world.chance.pick(REGION_WEIGHT, f"{what}/region", who)
    chosen = np.zeros(len(who), dtype=np.int64)
    for r, name in enumerate(REGIONS):
        within = [c[2] if c[1] == name else 0.0 for c in COUNTRIES]
        here = region == r
        chosen[here] = world.chance.pick(within, f"{what}/country", who[here])
    return chosen


def ids(name: str, who: Array) -> pl.Series:
    """Customers' numbers as source ids, such as c-20260301-17; −1 stands for nobody."""
    day = who >> 16
    frame = pl.DataFrame(
        {
            "who": pl.Series(who, dtype=pl.Int64),
            "day": pl.Series(day, dtype=pl.Int64),
            "place": pl.Series(who & 0xFFFF, dtype=pl.Int64),
            "date": pl.Series(np.maximum(day - EPOCH_DAY, 0), dtype=pl.Int32),
        }
    )
    special = pl.when(pl.col("day") == _CONTACTS).then(pl.lit("org")).when(pl.col("day") == _SELVES).then(pl.lit("own"))
    group = special.otherwise(pl.col("date").cast(pl.Date).dt.strftime("%Y%m%d"))
    text = pl.concat_str(pl.lit("c-"), group, pl.lit("-"), pl.col("place").cast(pl.String))
    return frame.select(pl.when(pl.col("who") >= 0).then(text).alias(name)).to_series()


def users(name: str, who: Array) -> pl.Series:
    """The same people as browsers know them, such as u-20260301-17."""
    return ids(name, who).str.replace("c-", "u-", literal=True)


def organization_ids(name: str, organization: Array) -> pl.Series:
    values = pl.Series(organization, dtype=pl.Int64)
    text = pl.concat_str(pl.lit("o-"), pl.col("o").cast(pl.String).str.zfill(4))
    return pl.DataFrame({"o": values}).select(pl.when(pl.col("o") >= 0).then(text).alias(name)).to_series()


def organizations_frame(world: World, plan: dict[int, str]) -> pl.DataFrame:
    """Every organization with the plan it is on (`plan` by number; none: free)."""
    each = np.arange(organizations(world))
    region = REGION_OF[_country(world, "organization", each)]
    chance = world.chance
    name = [
        f"{_FIRM[a]} {_FIELD[b]} {_FORM[c]} {n + 1}"
        for n, a, b, c in zip(
            each,
            chance.below(len(_FIRM), "organization/first word", each),
            chance.below(len(_FIELD), "organization/second word", each),
            chance.below(len(_FORM), "organization/form", each),
            strict=True,
        )
    ]
    return pl.DataFrame(
        {
            "source_id": organization_ids("source_id", each),
            "name": name,
            "plan": [plan.get(int(n), "free") for n in each],
            "region": named("region", REGIONS, region),
            "partner": named("partner", _codes(), organization_partner(world, each)),
        }
    )


def frame(world: World, who: Array) -> pl.DataFrame:
    """The customers with these numbers, with names and addresses that belong to nobody."""
    who = np.unique(who[who >= 0])
    them = traits(world, who)
    first = world.chance.below(len(_FIRST), "customer/first name", who)
    last = world.chance.below(len(_LAST), "customer/last name", who)
    own = (who >> 16) == _SELVES
    table = pl.DataFrame(
        {
            "source_id": ids("source_id", who),
            "first": named("first", _FIRST, first),
            "last": named("last", _LAST, last),
            "domain": named("domain", ["post.example", stories.SELF_DOMAIN], own.astype(np.int64)),
            "country": named("country", tuple(c[0] for c in COUNTRIES), them.country),
            "organization": organization_ids("organization", them.organization),
            "partner": named("partner", _codes(), them.partner),
        }
    )
    address = pl.concat_str(
        pl.col("first").str.to_lowercase(),
        pl.lit("."),
        pl.col("last").str.to_lowercase(),
        pl.lit("."),
        pl.col("source_id").str.slice(2),
        pl.lit("@"),
        pl.col("domain"),
    )
    return table.select(
        "source_id",
        name=pl.concat_str(pl.col("first"), pl.lit(" "), pl.col("last")),
        email=address,
        country="country",
        organization="organization",
        partner="partner",
    )


def _codes() -> tuple[str, ...]:
    return tuple(partner.code for partner in partners.partners())
