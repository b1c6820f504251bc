"""The planted stories: what happened in the demo business, when, to whom, and where a reader will find it.

Each begins a fixed number of weeks before this week's Monday, so that its weekday never changes and a demo made
tomorrow tells the same story of the same days. `docs/demo.md` lists every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Story:
    """One thing that happened. `until` is the first moment at which it no longer holds."""

    code: str
    title: str
    since: datetime
    until: datetime
    kind: str
    """The kind of rows that it shows in: sales, usage, events, clicks, spend or partners."""
    subject: tuple[str, ...]
    """Who or what it happened to: partner codes, a product, a region, a model, a channel."""
    strength: float
    """How strong it is, in the unit that `title` implies: a factor, a rate, a number a day."""
    see: str

    def covers(self, at: datetime) -> bool:
        return self.since <= at < self.until


LAUNCHED_PRODUCT = "Lumen Portraits"
REFUNDED_PRODUCT = "Lightbox Mini"
OUT_REGION = "eu"
SELF_REFERRER = "glimmerfox"
SELF_DOMAIN = "glimmerfox.example"
DOUBLED_PARTNER = "moonbucket"
SHARED_BANK = ("sunny-otter", "otter-sunset")
SHARED_FINGERPRINT = "demo-bank-4f1c9e"
CHEAPER_MODEL = "gpt-4o"
SLOWER_MODEL = "gemini-2.5-pro"
WASTED_CHANNEL = "video"


def planted(today: date) -> list[Story]:
    """Every planted story of a demo made on `today`, oldest first."""
    monday = today - timedelta(days=today.weekday())

    def at(weeks: int, days: int = 0, hour: int = 0) -> datetime:
        return datetime.combine(monday - timedelta(weeks=weeks) + timedelta(days=days), time(hour), tzinfo=UTC)

    return [
        Story(
            "launch",
            f"{LAUNCHED_PRODUCT} is launched",
            at(26, 1),
            at(22, 1),
            "sales",
            (LAUNCHED_PRODUCT,),
            70.0,
            "Revenue by product: it begins on the launch day with a peak that fades over four weeks.",
        ),
        Story(
            "price_drop",
            f"{CHEAPER_MODEL} becomes cheaper by 45 %",
            at(13, 2),
            at(0, 7),
            "usage",
            (CHEAPER_MODEL,),
            0.55,
            "AI costs: the reported cost per token of the model falls in a step and stays low.",
        ),
        Story(
            "duplicate_destination",
            "Two partners are paid to the same bank account",
            at(11),
            at(0, 7),
            "partners",
            SHARED_BANK,
            1.0,
            "Partners, Anomalies: both carry the same bank fingerprint in their metadata.",
        ),
        Story(
            "refund_wave",
            f"A faulty batch of {REFUNDED_PRODUCT} comes back",
            at(9),
            at(7, 3),
            "sales",
            (REFUNDED_PRODUCT,),
            0.55,
            "Revenue, measure refunds by product: seventeen days in which more than half of a month's sales come back.",
        ),
        Story(
            "self_referral",
            "A partner buys through its own links",
            at(7),
            at(6, 2),
            "sales",
            (SELF_REFERRER,),
            6.0,
            "Anomalies, Earnings of the partner: bursts of clicks, small sales, customers at the partner's own domain.",
        ),
        Story(
            "partner_doubles",
            "A partner's sales double overnight",
            at(6),
            at(3),
            "sales",
            (DOUBLED_PARTNER,),
            2.0,
            "Revenue by partner, top movers: three weeks at more than twice the usual level.",
        ),
        Story(
            "latency_regression",
            f"{SLOWER_MODEL} answers two and a half times slower",
            at(5, 1),
            at(4, 3),
            "usage",
            (SLOWER_MODEL,),
            2.5,
            "AI costs: p50 and p95 latency of the model step up for nine days, with more timeouts.",
        ),
        Story(
            "spend_explosion",
            "The video channel spends six times as much, and nobody comes",
            at(4),
            at(4, 6),
            "spend",
            (WASTED_CHANNEL,),
            6.0,
            "Overview, acquisition spend by channel: six days at six times the usual spend, sales unchanged.",
        ),
        Story(
            "outage",
            "Europe cannot buy for half a day",
            at(3, 2, 6),
            at(3, 2, 18),
            "sales",
            (OUT_REGION,),
            0.0,
            "Revenue by region: a Wednesday without a European sale between 06:00 and 18:00 UTC.",
        ),
        Story(
            "data_gap",
            "Two days of tracking are lost",
            at(2, 1),
            at(2, 3),
            "events",
            ("tracking",),
            0.0,
            "Funnels, AI costs: no events and no usage on a Tuesday and a Wednesday, while sales go on.",
        ),
    ]
