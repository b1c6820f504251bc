"""Which partner a sale belongs to, and why: one order of precedence, for one sale and for a frame of them.

A partner that the row names itself comes first; then its referral code, its coupon, and the last click of its
visitor within the program's window; else the sale is nobody's.

The partner's status plays no part. A sale is a fact about the day on which it happened, files arrive late and are
read again, so the same row must find the same partner whoever has been suspended or terminated since, and whichever
code has been retired. Whether a sale *earns* anything is for the commission rules to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import polars as pl

Reason = Literal["explicit", "referral_code", "coupon", "click", "none"]

NOTE_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Code:
    """A code that the registry knows, in its own spelling, and the partner whom it stands for."""

    code: str
    partner_id: int


@dataclass(frozen=True, slots=True)
class Click:
    """A visitor followed a partner's link; it counts for `window_days` × 24 hours, both ends included."""

    code: str
    partner_id: int
    at: datetime
    window_days: int

    def counts(self, at: datetime) -> bool:
        """Whether a sale at this instant is within the window."""
        return self.at <= at <= self.at + timedelta(days=self.window_days)


@dataclass(frozen=True, slots=True)
class Attribution:
    partner_id: int | None
    reason: Reason
    note: str
    """The code, or the code and the time of the click; empty for explicit and none."""


NOBODY = Attribution(None, "none", "")


def decide(
    *,
    explicit: int | None = None,
    referral_code: Code | None = None,
    coupon: Code | None = None,
    click: Click | None = None,
) -> Attribution:
    """The partner of one sale. Codes that the registry does not know are given as None; `click` is the last touch."""
    if explicit is not None:
        return Attribution(explicit, "explicit", "")
    if referral_code:
        return Attribution(referral_code.partner_id, "referral_code", referral_code.code)
    if coupon:
        return Attribution(coupon.partner_id, "coupon", coupon.code)
    if click:
        return Attribution(click.partner_id, "click", f"{click.code} {click.at.astimezone(UTC).strftime(NOTE_TIME)}")
    return NOBODY


def last_touch(clicks: Iterable[Click], at: datetime) -> Click | None:
    """The visitor's latest click whose window covers a sale at `at`; of two at one instant, the one given last."""
    last: Click | None = None
    for click in clicks:
        if click.counts(at) and (last is None or click.at >= last.at):
            last = click
    return last


def decide_frame(sales: pl.DataFrame) -> pl.DataFrame:
    """`decide` for every row at once.

    Reads `partner_id` (the explicit one), `referral_code` and `referral_code_partner_id`, `coupon` and
    `coupon_partner_id`, `click_code`, `click_partner_id` and `click_at` (with a zone); null where there is none.
    Sets `partner_id`, `attribution` and `attribution_note`; the other columns and the order stay.
    """
    explicit, referral, coupon, click = (
        pl.col(name) for name in ("partner_id", "referral_code_partner_id", "coupon_partner_id", "click_partner_id")
    )
    clicked = pl.col("click_code") + " " + pl.col("click_at").dt.convert_time_zone("UTC").dt.strftime(NOTE_TIME)
    return sales.with_columns(
        pl.coalesce(explicit, referral, coupon, click).alias("partner_id"),
        _first(explicit, referral, coupon, click, then=map(pl.lit, ("explicit", "referral_code", "coupon", "click")))
        .otherwise(pl.lit("none"))
        .alias("attribution"),
        _first(explicit, referral, coupon, click, then=(pl.lit(""), pl.col("referral_code"), pl.col("coupon"), clicked))
        .otherwise(pl.lit(""))
        .alias("attribution_note"),
    )


def last_touch_frame(sales: pl.DataFrame, clicks: pl.DataFrame) -> pl.DataFrame:
    """`last_touch` for every row at once: adds `click_code`, `click_partner_id` and `click_at`, null where none counts.

    `sales` has `visitor` and `at`; `clicks` has `visitor`, `code`, `partner_id`, `at`, `window_days`, one row a click
    in the order in which they were stored.
    """
    touches = clicks.select(
        "visitor",
        "window_days",
        pl.int_range(pl.len()).alias("order"),
        pl.col("code").alias("click_code"),
        pl.col("partner_id").alias("click_partner_id"),
        pl.col("at").alias("click_at"),
    )
    numbered = sales.with_row_index("_row")
    last = (
        numbered.select("_row", "visitor", pl.col("at").alias("sold_at"))
        .join(touches, on="visitor")
        .filter(
            pl.col("sold_at").is_between(
                pl.col("click_at"), pl.col("click_at") + pl.duration(days=pl.col("window_days"))
            )
        )
        .sort("click_at", "order")
        .unique("_row", keep="last", maintain_order=True)
        .select("_row", "click_code", "click_partner_id", "click_at")
    )
    return numbered.join(last, on="_row", how="left", maintain_order="left").drop("_row")


def _first(*given: pl.Expr, then: Iterable[pl.Expr]) -> Any:
    """The value that goes with the first of `given` that is not null."""
    chain: Any = pl
    for known, value in zip(given, then, strict=True):
        chain = chain.when(known.is_not_null()).then(value)
    return chain
