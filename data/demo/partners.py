"""The partners of the demo: who sells for the shop, under which program, how much, and with which codes.

Every name is invented. A few partners sell a lot, most sell little, some sell almost nothing, as it is in life.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from data.demo import stories
from data.demo.chance import Array
from data.demo.world import EPOCH_DAY, REGIONS, World

PROGRAMS: tuple[dict[str, Any], ...] = (
    {
        "code": "americas",
        "name": "Americas and worldwide",
        "currency": "USD",
        "timezone": "America/New_York",
        "hold_days": 30,
        "minimum": "25.00",
        "payday": 15,
        "approval_limit": "1000.00",
        "attribution_days": 30,
        "share": "20",
    },
    {
        "code": "europe",
        "name": "Europe",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "hold_days": 30,
        "minimum": "25.00",
        "payday": 15,
        "approval_limit": "1000.00",
        "attribution_days": 30,
        "share": "18",
    },
    {
        "code": "japan",
        "name": "Japan",
        "currency": "JPY",
        "timezone": "Asia/Tokyo",
        "hold_days": 45,
        "minimum": "5000",
        "payday": 25,
        "approval_limit": "150000",
        "attribution_days": 14,
        "share": "15",
    },
    {
        "code": "gulf",
        "name": "Gulf",
        "currency": "KWD",
        "timezone": "Asia/Kuwait",
        "hold_days": 30,
        "minimum": "10.000",
        "payday": 10,
        "approval_limit": "300.000",
        "attribution_days": 30,
        "share": "20",
    },
)
"""The terms of each program; amounts in major units, shares in percent."""

GROUPS: tuple[dict[str, Any], ...] = (
    {"code": "gold", "name": "Gold partners", "minimum": None, "currency": None},
    {"code": "creators", "name": "Creators", "minimum": "10.00", "currency": "USD"},
    {"code": "platforms", "name": "Platforms", "minimum": "100.00", "currency": "USD"},
)


@dataclass(frozen=True, slots=True)
class Partner:
    """One partner as the shop knows it. `size` is how many sales it brings, beside the others."""

    code: str
    name: str
    type: str
    region: str
    country: str
    program: str
    size: float
    group: str | None = None
    status: str = "active"
    joined_months_ago: int | None = None
    """None: before the demo begins."""
    left_months_ago: int | None = None
    share: str | None = None


_TABLE = """
pixelwick        Pixelwick Reviews          affiliate        na     US americas 100 gold
quillfeather     Quillfeather Weekly        affiliate        eu     DE europe    74 gold
moonbucket       Moonbucket Media           affiliate        na     US americas  46 gold
gilded-snail     The Gilded Snail           affiliate        eu     FR europe    30 creators
marmalade-lens   Marmalade Lens Club        affiliate        na     CA americas  21 creators
glimmerfox       Glimmerfox Deals           affiliate        na     US americas   5 creators
teapot-obs       Teapot Observatory         affiliate        eu     NL europe    12 creators
paperboat        Paperboat Prints           affiliate        apac   AU americas   9 creators
nimbus-turnip    Nimbus Turnip              affiliate        global US americas   6 creators
sunny-otter      Sunny Otter Offers         affiliate        na     US americas   4 -
otter-sunset     Otter Sunset Savings       affiliate        na     MX americas   3 -
saffron-badger   Saffron Badger             affiliate        apac   SG americas   2 -
blinking-light   Blinking Lighthouse        affiliate        eu     ES europe     0.6 -
tin-whistle      Tin Whistle Tips           affiliate        eu     IT europe     0.2 -
velvet-parsnip   Velvet Parsnip             instagram        na     US americas  38 gold
fernhollow       Fernhollow Frames          instagram        eu     FR europe    17 creators
kumo-tanuki      Kumo Tanuki                instagram        apac   JP japan     26 creators
desert-lantern   Desert Lantern             instagram        apac   KW gulf      14 creators
copper-kite      Copper Kite                instagram        na     CA americas   3 creators
mossy-teacup     Mossy Teacup               instagram        eu     NL europe     1.2 creators
paper-heron      Paper Heron                instagram        apac   JP japan      0.5 -
plum-zeppelin    Plum Zeppelin              instagram        global ES europe     0.3 -
wobble-studio    Wobble Studio              tiktok           na     US americas  33 creators
noodle-comet     Noodle Comet               tiktok           apac   JP japan     19 creators
jelly-abacus     Jelly Abacus               tiktok           eu     DE europe    11 creators
pearl-dune       Pearl Dune                 tiktok           apac   KW gulf       7 creators
sock-orchestra   Sock Orchestra             tiktok           na     US americas   1.5 -
tiny-volcano     Tiny Volcano               tiktok           apac   AU americas   0.8 -
biscuit-moth     Biscuit Moth               tiktok           eu     IT europe     0.2 -
harbor-cart      Harbor Cart                shopify          na     US americas  55 platforms
old-mill-goods   Old Mill Goods             shopify          eu     DE europe    24 platforms
sakura-shelf     Sakura Shelf               shopify          apac   JP japan     16 platforms
thistle-trade    Thistle Trade              shopify          eu     NL europe     8 platforms
oasis-basket     Oasis Basket               shopify          apac   KW gulf       9 platforms
maple-crate      Maple Crate                shopify          na     CA americas   4 platforms
lost-button      Lost Button Bazaar         shopify          global US americas   0.4 -
api-lumberjack   Lumberjack Connect         api_integration  na     US americas  42 platforms
rootcellar       Rootcellar Systems         api_integration  eu     FR europe    15 platforms
inkwell-api      Inkwell Works              api_integration  apac   SG americas  10 platforms
fjord-compass    Fjord Compass              api_integration  eu     DE europe     6 platforms
bramble-net      Bramble Net                api_integration  na     CA americas   2 platforms
tofu-rocket      Tofu Rocket                api_integration  apac   JP japan      5 platforms
quiet-turbine    Quiet Turbine              api_integration  global NL europe     0.5 platforms
snapdragon-co    Snapdragon & Co            white_label      na     US americas  22 platforms
waxwing-photo    Waxwing Photo              white_label      eu     DE europe    13 platforms
mirage-studio    Mirage Studio              white_label      apac   KW gulf      11 platforms
kite-and-key     Kite & Key                 white_label      apac   AU americas   3 platforms
cabin-north      Cabin North                franchise        na     CA americas  18 platforms
cabin-south      Cabin South                franchise        na     MX americas  12 platforms
cabin-rhine      Cabin Rhine                franchise        eu     DE europe    14 platforms
cabin-harbour    Cabin Harbour              franchise        apac   SG americas   7 platforms
zap-kettle       Zap Kettle                 zapier           global US americas   5 platforms
flow-pancake     Flow Pancake               zapier           eu     FR europe     2.5 platforms
loop-walrus      Loop Walrus                zapier           na     US americas   0.9 -
relay-radish     Relay Radish               zapier           apac   SG americas   0.3 -
chatty-cactus    Chatty Cactus              alexa            na     US americas   3 platforms
hello-hedgehog   Hello Hedgehog             alexa            eu     DE europe     1.1 platforms
echo-pudding     Pudding Echoes             alexa            apac   AU americas   0.2 -
dialing-dodo     Dialing Dodo               google_home      na     US americas   2 platforms
humming-gate     Humming Gate               google_home      eu     NL europe     0.7 platforms
whisper-yak      Whisper Yak                google_home      apac   JP japan      0.4 -
"""

_JOINED = {
    "wobble-studio": 17,
    "noodle-comet": 14,
    "jelly-abacus": 12,
    "pearl-dune": 10,
    "tofu-rocket": 9,
    "mirage-studio": 15,
    "cabin-harbour": 7,
    "chatty-cactus": 8,
    "inkwell-api": 18,
    "dialing-dodo": 5,
}
_LEFT = {"maple-crate": 5, "mossy-teacup": 3, "bramble-net": 2}
_STATUS = {
    "maple-crate": "terminated",
    "mossy-teacup": "suspended",
    "bramble-net": "suspended",
    "biscuit-moth": "pending",
    "relay-radish": "pending",
    "lost-button": "pending",
    "whisper-yak": "pending",
}
_SHARE = {"pixelwick": "25", "harbor-cart": "12.5", "api-lumberjack": "15", "snapdragon-co": "30", "cabin-north": "35"}

CAPABILITIES = {
    "affiliate": ("links", "coupons"),
    "instagram": ("links", "coupons", "posts"),
    "tiktok": ("links", "coupons", "posts"),
    "shopify": ("orders",),
    "api_integration": ("api", "usage"),
    "white_label": ("api", "own_brand"),
    "franchise": ("in_person", "own_brand"),
    "zapier": ("hooks",),
    "alexa": ("voice",),
    "google_home": ("voice",),
}

SOURCES = ("explicit", "referral_code", "coupon", "click")
SOURCE_WEIGHTS = {
    "affiliate": (0.0, 0.45, 0.15, 0.40),
    "instagram": (0.0, 0.20, 0.45, 0.35),
    "tiktok": (0.0, 0.20, 0.40, 0.40),
    "shopify": (0.85, 0.0, 0.15, 0.0),
    "api_integration": (1.0, 0.0, 0.0, 0.0),
    "white_label": (1.0, 0.0, 0.0, 0.0),
    "franchise": (0.9, 0.0, 0.1, 0.0),
    "zapier": (0.6, 0.4, 0.0, 0.0),
    "alexa": (1.0, 0.0, 0.0, 0.0),
    "google_home": (1.0, 0.0, 0.0, 0.0),
}
"""By partner type, how a sale is known to be the partner's."""


@cache
def partners() -> tuple[Partner, ...]:
    return tuple(_partner(line) for line in _TABLE.strip().splitlines())


def _partner(line: str) -> Partner:
    code, rest = line.split(maxsplit=1)
    name, type_, region, country, program, size, group = (part.strip() for part in rest.rsplit(maxsplit=6))
    return Partner(
        code=code,
        name=name,
        type=type_,
        region=region,
        country=country,
        program=program,
        size=float(size),
        group=None if group == "-" else group,
        status=_STATUS.get(code, "active"),
        joined_months_ago=_JOINED.get(code),
        left_months_ago=_LEFT.get(code),
        share=_SHARE.get(code),
    )


def position(code: str) -> int:
    return next(i for i, partner in enumerate(partners()) if partner.code == code)


def home_weights() -> Array:
    """Region by partner: how likely a customer of the region is to come from the partner."""
    weights = np.zeros((len(REGIONS), len(partners())))
    for i, partner in enumerate(partners()):
        for r, region in enumerate(REGIONS):
            if partner.status != "pending" and partner.region in (region, "global"):
                weights[r, i] = partner.size
    return weights


def is_selling(world: World, partner: Array, days: Array) -> Array:
    """Whether the partner sells on that day: it has joined, has not left, and, where small, has a month with sales."""
    joined = np.array([world.months_ago(p.joined_months_ago) if p.joined_months_ago else 0 for p in partners()])
    left = np.array([world.months_ago(p.left_months_ago) if p.left_months_ago else 10**7 for p in partners()])
    small = np.array([p.size < 1 for p in partners()])
    month = (days - EPOCH_DAY).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    awake = world.chance.uniform("small partner's month", partner, month) < 0.35
    return np.asarray((days >= joined[partner]) & (days < left[partner]) & (~small[partner] | awake))


def programs_frame() -> pl.DataFrame:
    return pl.DataFrame(list(PROGRAMS))


def groups_frame() -> pl.DataFrame:
    return pl.DataFrame(list(GROUPS))


def frame() -> pl.DataFrame:
    """The registry as a file of partners would carry it, on the day they joined."""
    return pl.DataFrame(
        [
            {
                "code": p.code,
                "name": p.name,
                "type": p.type,
                "status": "pending" if p.status == "pending" else "active",
                "region": p.region,
                "country": p.country,
                "group": p.group,
                "program": p.program,
                "email": f"hello@{p.code}.example",
                "api_base": f"https://api.{p.code}.example/v1"
                if p.type in ("api_integration", "white_label")
                else None,
                "share": p.share,
                "capabilities": ",".join(CAPABILITIES[p.type]),
            }
            for p in partners()
        ]
    )


def endings_frame() -> pl.DataFrame:
    """Partnerships that were paused or ended later, each for a reason."""
    why = {"suspended": "Asked for a pause while it moves house.", "terminated": "Closed its shop for good."}
    ended = [p for p in partners() if p.status in why]
    return pl.DataFrame([{"code": p.code, "status": p.status, "reason": why[p.status]} for p in ended])


def details_frame(world: World) -> pl.DataFrame:
    """What the registry also keeps of a partner: a fingerprint of the account it is paid to. One is there twice."""
    numbers = world.chance.below(16**6, "bank", np.arange(len(partners())))
    return pl.DataFrame(
        [
            {
                "code": p.code,
                "bank_fingerprint": stories.SHARED_FINGERPRINT
                if p.code in stories.SHARED_BANK
                else f"demo-bank-{number:06x}",
            }
            for p, number in zip(partners(), numbers, strict=True)
        ]
    )


def link_code(partner: Partner) -> str:
    return partner.code.upper()


def coupon_code(partner: Partner) -> str:
    return f"{partner.code.upper()}-10"


def gives_coupons(partner: Partner) -> bool:
    return SOURCE_WEIGHTS[partner.type][SOURCES.index("coupon")] > 0


def codes_frame() -> pl.DataFrame:
    """Each partner's link, and the coupon of those that give one."""
    rows: list[dict[str, str | None]] = []
    for p in partners():
        landing = "https://shop.lanternfish.example/"
        rows.append(
            {"code": link_code(p), "partner": p.code, "kind": "link", "landing_url": landing, "campaign": "always on"}
        )
        if gives_coupons(p):
            rows.append(
                {"code": coupon_code(p), "partner": p.code, "kind": "coupon", "landing_url": None, "campaign": "10 %"}
            )
    return pl.DataFrame(rows)
