"""Clicks on partners' links: kept when somebody follows one, and asked when a sale comes in."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import Connection

from core.errors import NotFound
from core.partners import rules
from core.partners.attribution import decide_frame, last_touch_frame
from core.partners.codes import partners_of, why_ended
from core.periods import business_day, zone
from data.store import partners as store

WINDOW_DAYS = 30
"""How long a click counts for partners outside any program."""
APART = timedelta(seconds=10)
"""A visitor who follows the same link again sooner than this clicked twice and meant once."""
AGENT_MAX = 200

_VISITOR = re.compile(r"[0-9a-f]{32}\Z")
_MACHINE = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|headless|lighthouse|curl/|wget/|python-"
    r"|okhttp|go-http-client|^$",
    re.IGNORECASE,
)
CODES = ("referral_code", "coupon")
"""The columns of a sale in which its buyer's code comes, the stronger first."""
_INSTANT = pl.Datetime("us", "UTC")
_TOUCH = pl.Schema(
    [
        ("visitor", pl.String()),
        ("code", pl.String()),
        ("partner_id", pl.Int64()),
        ("at", _INSTANT),
        ("window_days", pl.Int64()),
    ]
)


class LinkEnded(NotFound):
    """A link that leads nowhere (any more)."""

    code = "link_ended"


@dataclass(frozen=True, slots=True)
class Landing:
    url: str
    """Where the link leads, with the code and the visitor in its query."""
    is_counted: bool


def follow(
    db: Connection,
    code: str,
    *,
    visitor: str | None,
    agent: str,
    at: datetime,
    house_zone: ZoneInfo,
) -> Landing:
    """Somebody follows a partner's link: keep the click, unless `visitor` is None, and say where it leads.

    Open to the public, so it takes no viewer. Keeps no address of the visitor: a random id and the browser's name.
    Refuses a link that is unknown, retired, expired or used up, and one without a page.
    """
    text = rules.normal_code(code)
    row = store.code(db, text) if rules.is_referral_code(text) else None
    if row is None:
        raise LinkEnded("There is no such link; check its spelling.")
    ended = why_ended(row, at)
    if ended or row["landing_url"] is None:
        raise LinkEnded(ended or "This code leads to no page; give it at the checkout.")
    if visitor is None:
        return Landing(landing_of(row["landing_url"], text), is_counted=False)
    values = {
        "source": "link",
        "source_id": str(uuid4()),
        "referral_code_id": row["id"],
        "partner_id": row["partner_id"],
        "visitor": visitor,
        "landing_url": row["landing_url"],
        "agent": "".join(c for c in agent if c.isprintable())[:AGENT_MAX],
        "at": at,
        "business_day": business_day(at, zone(row["timezone"]) if row["timezone"] else house_zone),
    }
    is_counted = store.add_click(db, values, apart=APART)
    return Landing(landing_of(row["landing_url"], text, visitor), is_counted)


def landing_of(url: str, code: str, visitor: str | None = None) -> str:
    """The landing page with `ref` (the code) and `mr_visitor` in its query, so that the shop can name them on its
    sales. What stands in the query already stays as it is; the fragment stays at the end."""
    parts = urlsplit(url)
    given = [pair for pair in parts.query.split("&") if pair and pair.split("=")[0] not in ("ref", "mr_visitor")]
    ours = [f"mr_visitor={visitor}"] if visitor else []
    return parts._replace(query="&".join([*given, *ours, f"ref={code}"])).geturl()


def visitor_of(cookie: str | None) -> str:
    """The visitor whom our cookie names, or a new one: 128 random bits that say nothing about the person."""
    return cookie if cookie and _VISITOR.match(cookie) else secrets.token_hex(16)


def is_machine(agent: str) -> bool:
    """Whether this is no person: link previews, crawlers and monitors say so themselves."""
    return bool(_MACHINE.search(agent))


def attribute(db: Connection, sales: pl.DataFrame) -> pl.DataFrame:
    """Whose each sale is: sets `partner_id`, `attribution` and `attribution_note`; rows and other columns stay.

    `partner_id` is the partner that a row names itself, already resolved, or null. `referral_code`, `coupon` and
    `visitor` are read where the frame has them, `at` (with a zone) where it has `visitor`. A code that nobody was
    given, such as a coupon of our own, is passed over.
    """
    frame = sales if "partner_id" in sales.columns else sales.with_columns(pl.lit(None, pl.Int64).alias("partner_id"))
    asked = frame.with_columns(_normal(frame, name) for name in CODES)
    known = partners_of(db, {text for name in CODES for text in asked[name].unique().drop_nulls()})
    resolved = last_clicks(db, asked).with_columns(
        pl.col(name).replace_strict(known, default=None, return_dtype=pl.Int64).alias(f"{name}_partner_id")
        for name in CODES
    )
    decided = decide_frame(resolved).select("partner_id", "attribution", "attribution_note")
    return frame.with_columns(*(decided[name] for name in decided.columns))


def last_clicks(db: Connection, sales: pl.DataFrame) -> pl.DataFrame:
    """The last touch of each row's visitor, as `last_touch_frame` adds it."""
    if "visitor" not in sales.columns:
        return sales.with_columns(
            pl.lit(None, pl.String).alias("click_code"),
            pl.lit(None, pl.Int64).alias("click_partner_id"),
            pl.lit(None, _INSTANT).alias("click_at"),
        )
    asked = sales.with_columns(pl.col("at").dt.cast_time_unit("us").dt.convert_time_zone("UTC"))
    visitors = asked["visitor"].unique().drop_nulls()
    known = visitors.filter(~visitors.str.contains("\0", literal=True)).to_list()  # Postgres' text holds no NUL
    rows = store.clicks_of(db, known, default_days=WINDOW_DAYS) if known else []
    return last_touch_frame(asked, pl.DataFrame(rows, schema=_TOUCH, orient="row"))


def _normal(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column of codes in their stored spelling; null where the row or the frame has none."""
    if name not in frame.columns:
        return pl.lit(None, pl.String).alias(name)
    plain = pl.col(name).str.strip_chars().str.to_lowercase()
    return pl.when(plain != "").then(plain).alias(name)
