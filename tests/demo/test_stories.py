"""Every planted story shows in the frames, is told in the docs, and lies where it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest

from data.demo import planted, stories
from data.demo.stories import Story

Frames = Mapping[str, pl.DataFrame]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def told(today: date) -> dict[str, Story]:
    return {story.code: story for story in planted(today)}


def test_the_docs_tell_every_story(told: dict[str, Story]) -> None:
    text = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    for story in told.values():
        assert f"`{story.code}`" in text
        for subject in story.subject:
            assert subject in text, (story.code, subject)


@pytest.mark.parametrize("today", [date(2026, 3, 16), date(2026, 3, 18), date(2026, 3, 22), date(2024, 2, 29)])
def test_stories_lie_in_the_past_and_keep_their_weekday(today: date) -> None:
    noon = datetime.combine(today, time(12), tzinfo=UTC)
    weekdays = {story.code: story.since.weekday() for story in planted(date(2026, 3, 18))}
    for story in planted(today):
        assert noon - timedelta(days=200) < story.since < noon, story.code
        assert story.since < story.until
        assert story.since.weekday() == weekdays[story.code]


def test_the_launched_product_begins_with_a_peak(tenth: Frames, told: dict[str, Story]) -> None:
    sold = tenth["sales"].filter((pl.col("product") == stories.LAUNCHED_PRODUCT) & (pl.col("kind") == "sale"))
    launch = told["launch"].since
    assert sold["at"].min() >= launch
    first = sold.filter(pl.col("at") < launch + timedelta(days=7)).height / 7
    later = sold.filter(pl.col("at") >= told["launch"].until).height / (sold["at"].max() - told["launch"].until).days
    assert first > 2 * later


def test_nobody_in_europe_bought_during_the_outage(half: Frames, told: dict[str, Story]) -> None:
    orders = half["sales"].filter((pl.col("region") == stories.OUT_REGION) & (pl.col("kind") == "sale"))
    outage = told["outage"]
    assert _within(orders, outage).is_empty()
    week_before = orders.filter(
        pl.col("at").is_between(outage.since - timedelta(days=7), outage.until - timedelta(days=7))
    )
    assert week_before.height >= 4


def test_the_faulty_product_comes_back(tenth: Frames, told: dict[str, Story]) -> None:
    refunds = tenth["sales"].filter((pl.col("product") == stories.REFUNDED_PRODUCT) & (pl.col("kind") == "refund"))
    wave = told["refund_wave"]
    during = _within(refunds, wave).height / (wave.until - wave.since).days
    before = refunds.filter(pl.col("at") < wave.since).height / 650
    assert during > 10 * before


def test_the_self_referrer_buys_through_its_own_links(small: Frames, told: dict[str, Story]) -> None:
    own = small["customers"].filter(pl.col("email").str.ends_with(f"@{stories.SELF_DOMAIN}"))
    bought = small["sales"].join(own, left_on="customer", right_on="source_id", how="semi")
    sold = bought.filter(pl.col("kind") == "sale")
    assert _within(sold, told["self_referral"]).height == sold.height >= 40
    assert set(sold["referral_code"]) == {stories.SELF_REFERRER.upper()}
    address = small["partners"].filter(pl.col("code") == stories.SELF_REFERRER)["email"][0]
    assert address.endswith(f"@{stories.SELF_DOMAIN}")
    clicks = small["clicks"].filter(pl.col("visitor").str.starts_with("own-"))
    assert clicks.group_by("visitor").len()["len"].max() > 30


def test_the_doubled_partner_sells_twice_as_much(half: Frames, told: dict[str, Story]) -> None:
    code, story = stories.DOUBLED_PARTNER.upper(), told["partner_doubles"]
    clicked = half["clicks"].filter(pl.col("referral_code") == code)["visitor"].unique()
    theirs = half["sales"].filter(
        (pl.col("referral_code") == code)
        | (pl.col("coupon") == f"{code}-10")
        | pl.col("visitor").is_in(clicked.implode())
    )
    during = _within(theirs, story).height / 21
    before = theirs.filter(pl.col("at").is_between(story.since - timedelta(days=42), story.since)).height / 42
    assert 1.7 < during / before < 3.5


def test_the_cheaper_model_costs_less_a_token(tenth: Frames, told: dict[str, Story]) -> None:
    asked = tenth["usage"].filter((pl.col("model") == stories.CHEAPER_MODEL) & (pl.col("output_tokens") > 0))
    priced = asked.with_columns(
        nominal=(pl.col("input_tokens") - pl.col("cached_tokens")) * 2500
        + pl.col("cached_tokens") * 1250
        + pl.col("output_tokens") * 10_000,
        nano=pl.col("cost").cast(pl.Decimal(18, 9)).cast(pl.Float64) * 1e9,
    ).with_columns(part=pl.col("nano") / pl.col("nominal"))
    since = told["price_drop"].since
    assert priced.filter(pl.col("at") < since)["part"].mean() == pytest.approx(1.0)
    assert priced.filter(pl.col("at") >= since)["part"].mean() == pytest.approx(0.55, abs=0.001)


def test_the_slower_model_answers_late(tenth: Frames, told: dict[str, Story]) -> None:
    asked = tenth["usage"].filter(pl.col("model") == stories.SLOWER_MODEL)
    story = told["latency_regression"]
    during = _within(asked, story)
    before = asked.filter(pl.col("at") < story.since)
    assert during["latency_ms"].median() > 2 * before["latency_ms"].median()  # type: ignore[operator]


def test_two_days_of_tracking_are_missing_and_sales_go_on(tenth: Frames, told: dict[str, Story]) -> None:
    gap = told["data_gap"]
    assert _within(tenth["events"], gap).is_empty()
    assert _within(tenth["usage"], gap).is_empty()
    assert _within(tenth["sales"], gap).height > 20


def test_two_partners_share_a_bank_account(small: Frames) -> None:
    twice = small["details"].filter(pl.col("bank_fingerprint").is_duplicated())
    assert set(twice["code"]) == set(stories.SHARED_BANK)


def test_the_wasted_channel_spends_six_times_as_much(small: Frames, told: dict[str, Story]) -> None:
    story = told["spend_explosion"]
    video = small["spend"].filter((pl.col("channel") == stories.WASTED_CHANNEL) & (pl.col("currency") == "USD"))
    video = video.with_columns(value=pl.col("amount").cast(pl.Float64))
    inside = pl.col("day").is_between(story.since.date(), story.until.date() - timedelta(days=1))
    before = pl.col("day").is_between(story.since.date() - timedelta(days=28), story.since.date() - timedelta(days=1))
    during = video.filter(inside)["value"].mean()
    usual = video.filter(before)["value"].mean()
    assert 4 < during / usual < 8  # type: ignore[operator]


def _within(rows: pl.DataFrame, story: Story) -> pl.DataFrame:
    return rows.filter(pl.col("at").is_between(story.since, story.until, closed="left"))
