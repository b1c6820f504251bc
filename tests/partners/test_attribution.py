"""One order of precedence, the same for one sale and for a frame of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.partners.attribution import Attribution, Click, Code, decide, decide_frame, last_touch, last_touch_frame

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_partner_that_a_row_names_comes_before_every_code() -> None:
    found = decide(explicit=1, referral_code=Code("a", 2), coupon=Code("b", 3), click=Click("c", 4, NOON, 30))
    assert found == Attribution(1, "explicit", "")


def test_a_referral_code_comes_before_a_coupon_and_a_coupon_before_a_click() -> None:
    click = Click("c", 4, NOON, 30)
    assert decide(referral_code=Code("a", 2), coupon=Code("b", 3), click=click) == Attribution(2, "referral_code", "a")
    assert decide(coupon=Code("b", 3), click=click) == Attribution(3, "coupon", "b")
    assert decide(click=click) == Attribution(4, "click", "c 2026-03-01T12:00:00Z")


def test_a_sale_without_any_of_them_is_nobodys() -> None:
    assert decide() == Attribution(None, "none", "")


def test_the_last_click_within_its_own_window_is_the_one_that_counts() -> None:
    long, short = Click("long", 1, NOON, 30), Click("short", 2, NOON + timedelta(days=1), 1)
    assert last_touch([long, short], NOON + timedelta(days=2)) == short
    assert last_touch([long, short], NOON + timedelta(days=3)) == long
    assert last_touch([long, short], NOON + timedelta(days=31)) is None


def test_a_window_includes_both_of_its_ends() -> None:
    click = Click("c", 1, NOON, 30)
    assert click.counts(NOON)
    assert click.counts(NOON + timedelta(days=30))
    assert not click.counts(NOON + timedelta(days=30, microseconds=1))
    assert not click.counts(NOON - timedelta(microseconds=1)), "a click after the sale did not lead to it"


def test_of_two_clicks_at_one_instant_the_one_stored_last_counts() -> None:
    assert last_touch([Click("a", 1, NOON, 30), Click("b", 2, NOON, 30)], NOON) == Click("b", 2, NOON, 30)


some_id = st.none() | st.integers(1, 5)
some_code = st.none() | st.builds(Code, st.sampled_from(["spring", "summer"]), st.integers(1, 5))
moments = st.integers(0, 6).map(lambda hours: NOON + timedelta(hours=12 * hours))
clicks = st.builds(Click, st.sampled_from(["x", "y"]), st.integers(1, 5), moments, st.integers(0, 3))


@given(st.lists(st.tuples(some_id, some_code, some_code, st.none() | clicks), max_size=8))
def test_a_frame_is_decided_as_each_of_its_rows_would_be(
    rows: list[tuple[int | None, Code | None, Code | None, Click | None]],
) -> None:
    frame = decide_frame(
        pl.DataFrame(
            {
                "partner_id": [explicit for explicit, *_ in rows],
                "referral_code": [code and code.code for _, code, _, _ in rows],
                "referral_code_partner_id": [code and code.partner_id for _, code, _, _ in rows],
                "coupon": [coupon and coupon.code for _, _, coupon, _ in rows],
                "coupon_partner_id": [coupon and coupon.partner_id for _, _, coupon, _ in rows],
                "click_code": [click and click.code for *_, click in rows],
                "click_partner_id": [click and click.partner_id for *_, click in rows],
                "click_at": [click and click.at for *_, click in rows],
            },
            schema_overrides={
                **dict.fromkeys(
                    ("partner_id", "referral_code_partner_id", "coupon_partner_id", "click_partner_id"), pl.Int64
                ),
                **dict.fromkeys(("referral_code", "coupon", "click_code"), pl.String),
                "click_at": pl.Datetime("us", "UTC"),
            },
        )
    )
    wanted = [decide(explicit=e, referral_code=r, coupon=c, click=k) for e, r, c, k in rows]
    found = frame.select("partner_id", "attribution", "attribution_note").rows()
    assert found == [(w.partner_id, w.reason, w.note) for w in wanted]


@given(
    st.lists(st.tuples(st.sampled_from(["ann", "bob"]), clicks), max_size=6),
    st.lists(st.tuples(st.sampled_from(["ann", "bob", "eve"]) | st.none(), moments), max_size=6),
)
def test_a_frame_finds_the_last_touch_that_each_row_would_find(
    touches: list[tuple[str, Click]], sales: list[tuple[str | None, datetime]]
) -> None:
    frame = last_touch_frame(
        pl.DataFrame(sales, schema={"visitor": pl.String, "at": pl.Datetime("us", "UTC")}, orient="row"),
        pl.DataFrame(
            [(visitor, c.code, c.partner_id, c.at, c.window_days) for visitor, c in touches],
            schema={
                "visitor": pl.String,
                "code": pl.String,
                "partner_id": pl.Int64,
                "at": pl.Datetime("us", "UTC"),
                "window_days": pl.Int64,
            },
            orient="row",
        ),
    )
    wanted = [last_touch([c for visitor, c in touches if visitor == who], at) for who, at in sales]
    assert frame.select("visitor", "at").rows() == sales, "rows stay, and stay in order"
    assert frame.select("click_code", "click_partner_id", "click_at").rows() == [
        (w.code, w.partner_id, w.at) if w else (None, None, None) for w in wanted
    ]
