"""The demo business as frames: what every later screen may rely on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from core.intake.kinds import KINDS
from core.money import EXPONENTS, exact
from core.partners import rules
from data import demo
from data.demo import partners, products, subscriptions
from data.demo.world import DIGITS, World

Frames = Mapping[str, pl.DataFrame]
BY_HAND = {"programs", "groups", "details", "codes", "annotations", "endings"}


def test_the_same_day_and_seed_make_the_same_business(small: Frames, today: date) -> None:
    again = dict(demo.business(today, scale=0.02))
    assert list(again) == list(small)
    for kind, frame in small.items():
        assert_frame_equal(frame, again[kind])


def test_another_seed_makes_another_business(small: Frames, today: date) -> None:
    other = dict(demo.business(today, seed=8, scale=0.02))
    assert not other["sales"].equals(small["sales"])


def test_each_kind_has_the_columns_that_intake_takes(small: Frames) -> None:
    assert set(small) - BY_HAND <= set(KINDS)
    for kind in set(small) - BY_HAND:
        fields = KINDS[kind].fields
        needed = {field.name for field in fields if field.required}
        assert needed <= set(small[kind].columns), kind
        if kind != "events":  # events keep what they do not know as properties
            assert set(small[kind].columns) <= {field.name for field in fields}, kind
        for name in needed:
            assert small[kind][name].null_count() == 0, (kind, name)


def test_every_row_has_an_id_of_its_own(small: Frames) -> None:
    for kind, frame in small.items():
        if "source_id" in frame.columns:
            assert frame["source_id"].null_count() == 0, kind
            assert frame["source_id"].is_unique().all(), kind


@pytest.mark.parametrize("kind", ["sales", "subscriptions", "spend"])
def test_amounts_have_the_digits_of_their_currency(small: Frames, kind: str) -> None:
    assert set(small[kind]["currency"].unique()) <= set(DIGITS)
    for currency, digits in DIGITS.items():
        assert digits == EXPONENTS[currency]
        amounts = small[kind].filter(pl.col("currency") == currency)["amount"]
        point = rf"^-?[0-9]+\.[0-9]{{{digits}}}$" if digits else r"^-?[0-9]+$"
        assert amounts.str.contains(point).all(), currency


def test_all_four_currencies_sell(small: Frames) -> None:
    assert set(small["sales"]["currency"].unique()) == {"USD", "EUR", "JPY", "KWD"}


def test_refunds_and_disputes_never_take_back_more_than_was_sold(tenth: Frames) -> None:
    rows = tenth["sales"].with_columns(value=pl.col("amount").cast(pl.Decimal(18, 3)))
    sold = rows.filter(pl.col("kind") == "sale").select("source_id", "value", "currency", "at")
    taken = rows.filter(pl.col("refunds").is_not_null()).join(
        sold, left_on="refunds", right_on="source_id", suffix="_sold"
    )
    assert taken.height == rows["refunds"].is_not_null().sum()
    assert (taken["currency"] == taken["currency_sold"]).all()
    assert (taken["at"] > taken["at_sold"]).all()
    balance = taken.group_by("refunds").agg(pl.col("value").sum(), pl.col("value_sold").first())
    assert (balance["value"] + balance["value_sold"] >= 0).all()
    assert (balance["value"] <= 0).all()


def test_some_refunds_name_no_sale_and_some_customers_are_unknown(tenth: Frames) -> None:
    sales = tenth["sales"]
    refunds = sales.filter(pl.col("kind") == "refund")
    assert 0 < refunds["refunds"].null_count() < refunds.height * 0.05
    assert 0.02 < sales["customer"].null_count() / sales.height < 0.10


def test_what_is_known_of_a_sale_names_one_source_of_its_partner(tenth: Frames) -> None:
    ways = ("partner", "referral_code", "coupon", "visitor")
    sales = tenth["sales"].filter(pl.col("kind") == "sale")
    named = sales.select(pl.sum_horizontal(pl.col(way).is_not_null().cast(pl.Int8) for way in ways)).to_series()
    assert named.max() == 1
    assert all(sales[way].null_count() < sales.height for way in ways)
    assert 0.30 < (named == 1).mean() < 0.48


def test_every_visitor_who_bought_clicked_before(half: Frames) -> None:
    bought = half["sales"].filter(pl.col("visitor").is_not_null()).select("visitor", "at")
    found = bought.join(half["clicks"], on="visitor", how="left", suffix="_clicked")
    waited = found.with_columns(wait=pl.col("at") - pl.col("at_clicked"))
    good = waited.filter(pl.col("wait").is_between(timedelta(0), timedelta(days=14)))
    assert bought.join(good, on=["visitor", "at"], how="anti").is_empty()


def test_what_rows_name_stands_before_them(small: Frames) -> None:
    known = {name: set(small[kind][column]) for name, kind, column in NAMED}
    for kind, frame in small.items():
        for name in {"partner", "customer", "organization", "experiment", "program", "group"} & set(frame.columns):
            if not (kind == "experiments" and name == "experiment"):
                assert set(frame[name].drop_nulls()) <= known[name], (kind, name)
    codes = set(small["codes"]["code"])
    assert set(small["sales"]["referral_code"].drop_nulls()) <= codes
    assert set(small["sales"]["coupon"].drop_nulls()) <= codes
    assert set(small["clicks"]["referral_code"]) <= codes


NAMED = (
    ("partner", "partners", "code"),
    ("customer", "customers", "source_id"),
    ("organization", "organizations", "source_id"),
    ("experiment", "experiments", "code"),
    ("program", "programs", "code"),
    ("group", "groups", "code"),
)


def test_partners_are_of_all_types_and_regions(small: Frames) -> None:
    registry = small["partners"]
    assert 55 <= registry.height <= 65
    assert set(registry["type"]) == set(rules.TYPES)
    assert set(registry["region"]) == set(rules.REGIONS)
    assert {p.status for p in partners.partners()} == set(rules.STATUSES)


def test_pending_partners_have_sold_nothing(tenth: Frames) -> None:
    pending = [p.code for p in partners.partners() if p.status == "pending"]
    assert not tenth["sales"]["partner"].drop_nulls().is_in(pending).any()


def test_the_changes_of_a_subscription_are_in_order(tenth: Frames) -> None:
    changes = tenth["subscriptions"]
    assert changes["at"].is_sorted()
    for _, history in changes.group_by("subscription"):
        assert history["at"].is_unique().all()
        assert history["status"][0] in ("trialing", "active")
        for before, after in pairwise(history["status"].to_list()):
            assert after in FOLLOWS[before], (before, after)
        paid = history.filter(pl.col("status") == "active")["paid_until"]
        assert paid.is_sorted()
        assert paid.is_unique().all()


FOLLOWS = {
    "trialing": {"active", "ended"},
    "active": {"active", "past_due", "cancelled", "paused"},
    "past_due": {"active", "ended"},
    "cancelled": {"ended"},
    "paused": {"active"},
    "ended": {"active", "past_due"},
}
"""Who comes back may fail to pay at first."""


def test_every_paid_period_of_a_subscription_is_a_sale(tenth: Frames) -> None:
    paid = tenth["subscriptions"].filter(pl.col("status") == "active").with_columns(pl.col("at").alias("paid_at"))
    invoices = tenth["sales"].filter((pl.col("category") == "plans") & (pl.col("kind") == "sale"))
    whole = {name: (pl.col(name).cast(pl.Decimal(18, 3)) * 1000).cast(pl.Int64) for name in ("amount", "discount")}
    due = paid.select("customer", "at", "currency", "plan", minor=whole["amount"] - whole["discount"])
    billed = invoices.select("customer", "at", "currency", "plan", minor=whole["amount"])
    order = ["at", "customer", "plan", "minor"]
    assert_frame_equal(due.sort(order), billed.sort(order))


def test_a_month_that_is_too_short_ends_on_its_last_day() -> None:
    months_later = subscriptions._months_later
    start = pl.Series([date(2025, 1, 31).toordinal()] * 3).to_numpy()
    found = months_later(start, pl.Series([1, 2, 13]).to_numpy())
    wanted = [date(2025, 2, 28), date(2025, 3, 31), date(2026, 2, 28)]
    assert [date.fromordinal(int(day)) for day in found] == wanted


def test_subscriptions_tell_every_story(tenth: Frames) -> None:
    changes = tenth["subscriptions"]
    assert set(changes["status"]) == {"trialing", "active", "past_due", "paused", "cancelled", "ended"}
    assert set(changes["interval"]) == {"month", "year"}
    plans = changes.group_by("subscription").agg(pl.col("plan").n_unique().alias("plans"))
    assert (plans["plans"] > 1).sum() > 0
    back = changes.with_columns(before=pl.col("status").shift().over("subscription")).filter(
        (pl.col("before") == "ended") & (pl.col("status") == "active")
    )
    assert back.height > 0


def test_the_funnel_goes_down_step_by_step(tenth: Frames) -> None:
    people = tenth["events"].group_by("event").agg(pl.col("user").n_unique())
    counts = dict(people.iter_rows())
    assert counts["visit"] > counts["signup"] > counts["activate"] > counts["trial_start"] > 0
    assert tenth["events"]["at"].is_sorted()


def test_some_events_of_one_person_fall_on_one_instant(tenth: Frames) -> None:
    ties = tenth["events"].filter(pl.col("user").is_not_null()).group_by("user", "at").agg(pl.len(), pl.col("ordinal"))
    assert (ties["len"] > 1).any()


def test_usage_covers_eight_models_of_three_providers(small: Frames) -> None:
    requests = small["usage"].filter(pl.col("kind") == "ai")
    assert requests["model"].n_unique() == 8
    assert set(requests["provider"]) == {"openai", "anthropic", "gemini"}
    assert (requests["cached_tokens"] <= requests["input_tokens"]).all()
    assert (requests["reasoning_tokens"] <= requests["output_tokens"]).all()
    assert small["usage"].filter(pl.col("kind") == "api").height > 0


def test_rates_say_that_they_are_made_up(small: Frames) -> None:
    rates = small["rates"]
    assert set(rates["source"]) == {"demo (fictitious)"}
    assert rates.height == 3 * 731
    assert all(exact(rate) > 0 for rate in rates["rate"])


def test_experiments_have_a_winner_a_tie_and_a_broken_split(today: date) -> None:
    frames = dict(demo.business(today, scale=1.0))
    given = frames["assignments"]
    active = frames["events"].filter(pl.col("event") == "activate").select(unit="user", did=pl.lit(1)).unique()
    result = given.join(active, on="unit", how="left").group_by("experiment", "variant")
    rows = {(e, v): (n, rate) for e, v, n, rate in result.agg(pl.len(), pl.col("did").fill_null(0).mean()).rows()}
    n, control = rows["guided-first-photo", "control"]
    m, treated = rows["guided-first-photo", "treatment"]
    assert (treated - control) / (control * (1 - control) * (1 / n + 1 / m)) ** 0.5 > 4
    n, control = rows["free-print-banner", "control"]
    m, treated = rows["free-print-banner", "treatment"]
    assert abs(treated - control) / (control * (1 - control) * (1 / n + 1 / m)) ** 0.5 < 2.5
    n, m = (rows["short-signup", variant][0] for variant in ("control", "treatment"))
    assert (n - m) ** 2 / (n + m) > 10.8  # chi-square beyond .001


def test_history_stays_when_today_moves_on_by_a_day(small: Frames, today: date) -> None:
    later = dict(demo.business(today + timedelta(days=1), scale=0.02))
    for kind in ("customers", "clicks", "sales", "subscriptions", "events", "usage", "spend", "assignments"):
        first = [name for name in small[kind].columns if name not in ("metadata",)]
        kept = small[kind].join(later[kind], on=first, how="semi", nulls_equal=True)
        assert kept.height >= 0.98 * small[kind].height, kind


def test_a_new_month_moves_the_level_but_little() -> None:
    before = dict(demo.business(date(2026, 3, 31), scale=0.02))["sales"]
    after = dict(demo.business(date(2026, 4, 1), scale=0.02))["sales"]
    assert abs(after.height / before.height - 1) < 0.06
    assert before.join(after, on="source_id", how="semi").height > 0.85 * before.height


def test_volumes_are_those_that_were_asked_for(today: date) -> None:
    frames = dict(demo.business(today))
    assert 280_000 <= frames["sales"].height <= 330_000
    assert 36_000 <= frames["customers"].height <= 45_000
    assert frames["organizations"].height == 1_500
    assert 5_500 <= frames["subscriptions"]["subscription"].n_unique() <= 6_600
    assert 380_000 <= frames["events"].height <= 480_000
    assert 230_000 <= frames["usage"].height <= 290_000
    refunds = (frames["sales"]["kind"] == "refund").sum() / (frames["sales"]["kind"] == "sale").sum()
    assert 0.03 < refunds < 0.05


def test_prices_end_as_prices_do() -> None:
    cents = pl.Series([999] * 4).to_numpy()
    assert products.price(cents, pl.Series([0, 1, 2, 3]).to_numpy()).tolist() == [999, 940, 1500, 3075]


def test_a_world_is_known_by_its_day_seed_and_scale(today: date) -> None:
    assert World(today, 7, 1.0) == World(today, 7, 1.0)
    assert World(today, 7, 1.0) != World(today, 8, 1.0)
