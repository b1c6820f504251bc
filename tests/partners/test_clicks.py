"""Clicks: kept once for a person, asked for when a sale comes in."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from sqlalchemy import Connection, text

from core.partners import clicks, codes, programs, registry
from core.partners.clicks import Landing, LinkEnded
from core.partners.programs import Terms
from core.viewer import Viewer
from data.postgres import transaction

SHOP = "https://shop.example.com/offer?size=2&ref=old#top"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BOB = "a" * 32, "b" * 32
HOUSE = ZoneInfo("UTC")


def follow(db: Connection, code: str, visitor: str | None = ANN, at: datetime = NOON) -> Landing:
    return clicks.follow(db, code, visitor=visitor, agent="Mozilla/5.0", at=at, house_zone=HOUSE)


def stored(db: Connection) -> list[Any]:
    return list(db.execute(text("select visitor, source, business_day, landing_url from click order by id")))


@pytest.fixture
def link(db: Connection, admin: Viewer, enrol: Any) -> int:
    """The id of a partner who has the link `acme`."""
    partner = enrol("acme", status="active")
    codes.issue(db, admin, partner.id, code="acme", landing_url=SHOP)
    return int(partner.id)


def test_a_click_is_kept_and_the_shop_is_told_code_and_visitor(db: Connection, link: int) -> None:
    landing = follow(db, "ACME")
    assert landing == Landing(f"https://shop.example.com/offer?size=2&mr_visitor={ANN}&ref=acme#top", is_counted=True)
    assert stored(db) == [(ANN, "link", date(2026, 3, 1), SHOP)]


def test_without_a_visitor_the_link_leads_on_and_nothing_is_kept(db: Connection, link: int) -> None:
    assert follow(db, "acme", visitor=None).url == "https://shop.example.com/offer?size=2&ref=acme#top"
    assert stored(db) == []


@pytest.mark.parametrize(
    ("url", "landing"),
    [
        ("https://shop.example.com", "https://shop.example.com?ref=acme"),
        ("https://shop.example.com/?a=%20b&a=c", "https://shop.example.com/?a=%20b&a=c&ref=acme"),
        ("https://shop.example.com/#top", "https://shop.example.com/?ref=acme#top"),
        ("https://shop.example.com/?ref=x&reference=1", "https://shop.example.com/?reference=1&ref=acme"),
    ],
)
def test_the_code_joins_what_stands_in_the_address(url: str, landing: str) -> None:
    assert clicks.landing_of(url, "acme") == landing


def test_a_double_click_counts_once(db: Connection, link: int) -> None:
    for seconds in (0, 1, 9):
        follow(db, "acme", at=NOON + timedelta(seconds=seconds))
    assert len(stored(db)) == 1
    follow(db, "acme", at=NOON + timedelta(seconds=10))
    follow(db, "acme", BOB)
    assert len(stored(db)) == 3, "ten seconds later, and somebody else, are clicks of their own"


def test_a_double_click_counts_once_even_when_both_come_at_the_same_instant(database: Any, admin: Viewer) -> None:
    with transaction() as db:
        partner = registry.enrol(db, admin, {"code": "acme", "name": "Acme", "type": "affiliate"})
        codes.issue(db, admin, partner.id, code="acme", landing_url=SHOP)
    gate, counted = threading.Barrier(8), []

    def click() -> None:
        gate.wait()
        with transaction() as own:
            counted.append(follow(own, "acme").is_counted)

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(counted) == [False] * 7 + [True]
    with transaction() as db:
        assert len(stored(db)) == 1


@pytest.mark.parametrize("code", ["unknown", "", "x", "nu\x00ll", "../../etc", "x" * 500, "%f0%9f%92%a9"])
def test_a_link_that_was_never_issued_leads_nowhere(db: Connection, link: int, code: str) -> None:
    with pytest.raises(LinkEnded, match="spelling"):
        follow(db, code)


def test_a_link_that_ended_leads_nowhere_and_keeps_nothing(db: Connection, admin: Viewer, link: int) -> None:
    future = datetime.now(UTC) + timedelta(days=1)
    codes.issue(db, admin, link, code="short", landing_url=SHOP, expires_at=future)
    codes.issue(db, admin, link, code="once", landing_url=SHOP, use_limit=1)
    codes.issue(db, admin, link, code="coupon", kind="coupon")
    codes.use(db, "once")
    codes.retire(db, admin, "acme")
    for code, at, sentence in (
        ("acme", NOON, "retired"),
        ("short", future, "expired"),
        ("once", NOON, "as often as it may be"),
        ("coupon", NOON, "at the checkout"),
    ):
        with pytest.raises(LinkEnded, match=sentence):
            follow(db, code, at=at)
    assert stored(db) == []


def test_the_day_of_a_click_is_the_programs(db: Connection, admin: Viewer, enrol: Any) -> None:
    programs.open_program(db, admin, code="japan", name="Japan", currency="JPY", timezone="Asia/Tokyo")
    codes.issue(db, admin, enrol("tokyo", program="japan").id, code="tokyo", landing_url=SHOP)
    follow(db, "tokyo", at=datetime(2026, 3, 1, 15, tzinfo=UTC))
    assert stored(db)[0].business_day == date(2026, 3, 2)


def test_a_cookie_that_we_did_not_write_names_nobody() -> None:
    assert clicks.visitor_of(ANN) == ANN
    for cookie in (None, "", "A" * 32, "a" * 31, "a" * 33, "'; drop table click", "a" * 32 + "\n"):
        made = clicks.visitor_of(cookie)
        assert made != cookie
        assert clicks.visitor_of(made) == made


@pytest.mark.parametrize(
    "agent", ["", "Googlebot/2.1", "facebookexternalhit/1.1", "curl/8.5", "WhatsApp/2.2", "Slackbot-LinkExpanding 1.0"]
)
def test_machines_say_what_they_are(agent: str) -> None:
    assert clicks.is_machine(agent)


@pytest.mark.parametrize(
    "agent", ["Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1", "Mozilla/5.0 (X11) Firefox/150.0"]
)
def test_people_are_not_taken_for_machines(agent: str) -> None:
    assert not clicks.is_machine(agent)


# ── whose a sale is ────────────────────────────────────────────────────────────────────────────────────────────────


def attributed(db: Connection, rows: list[dict[str, Any]], **schema: Any) -> list[tuple[Any, ...]]:
    types = {"partner_id": pl.Int64, "at": pl.Datetime("us", "UTC")} | schema
    frame = pl.DataFrame(rows, schema_overrides=types)
    found = clicks.attribute(db, frame)
    assert found.columns == [*frame.columns, "attribution", "attribution_note"]
    return found.select("partner_id", "attribution", "attribution_note").rows()


def test_a_frame_of_sales_finds_its_partners(db: Connection, admin: Viewer, link: int, enrol: Any) -> None:
    other = enrol("other").id
    codes.issue(db, admin, other, code="other-10", kind="coupon")
    follow(db, "acme")
    day = timedelta(days=1)
    plain: dict[str, Any] = {
        "partner_id": None,
        "referral_code": None,
        "coupon": None,
        "visitor": None,
        "at": NOON + day,
    }
    rows = [
        plain,
        plain | {"partner_id": other, "referral_code": "acme", "coupon": "other-10", "visitor": ANN},
        plain | {"referral_code": " ACME ", "coupon": "other-10", "visitor": ANN},
        plain | {"referral_code": "black-friday", "coupon": "OTHER-10", "visitor": ANN},
        plain | {"coupon": "black-friday", "visitor": ANN},
        plain | {"visitor": ANN, "at": NOON + 30 * day},
        plain | {"visitor": ANN, "at": NOON + 31 * day},
        plain | {"visitor": ANN, "at": NOON - day},
        plain | {"visitor": BOB},
        plain | {"visitor": "nu\x00ll", "referral_code": "nu\x00ll"},
    ]
    touched = (link, "click", "acme 2026-03-01T12:00:00Z")
    nobody = (None, "none", "")
    assert attributed(db, rows) == [
        nobody,
        (other, "explicit", ""),
        (link, "referral_code", "acme"),
        (other, "coupon", "other-10"),
        touched,
        touched,
        nobody,
        nobody,
        nobody,
        nobody,
    ]


def test_a_sale_keeps_its_partner_whoever_was_suspended_and_whichever_code_retired(
    db: Connection, admin: Viewer, link: int
) -> None:
    follow(db, "acme")
    codes.issue(db, admin, link, code="acme-10", kind="coupon")
    rows: list[dict[str, Any]] = [
        {"partner_id": None, "coupon": "acme-10", "visitor": None, "at": NOON},
        {"partner_id": None, "coupon": None, "visitor": ANN, "at": NOON},
    ]
    before = attributed(db, rows)
    registry.terminate(db, admin, link, 1, "Contract ended.")
    assert attributed(db, rows) == before
    assert [row[0] for row in before] == [link, link]


def test_the_window_is_the_one_promised_on_the_day_of_the_click(db: Connection, admin: Viewer, enrol: Any) -> None:
    programs.open_program(db, admin, code="short", name="Short", currency="USD", terms=Terms(attribution_days=2))
    partner = enrol("acme", program="short")
    codes.issue(db, admin, partner.id, code="acme", landing_url=SHOP)
    follow(db, "acme")
    today = db.execute(text("select (now() at time zone 'UTC')::date")).scalar_one()
    programs.set_terms(db, admin, "short", Terms(attribution_days=90), since=today)
    rows = [{"partner_id": None, "visitor": ANN, "at": NOON + timedelta(days=days)} for days in (2, 3)]
    assert [row[1] for row in attributed(db, rows)] == ["click", "none"]


def test_a_frame_without_codes_or_visitors_keeps_what_it_names(db: Connection, link: int) -> None:
    assert attributed(db, [{"partner_id": link}, {"partner_id": None}]) == [(link, "explicit", ""), (None, "none", "")]
    empty = clicks.attribute(db, pl.DataFrame({"partner_id": []}, schema={"partner_id": pl.Int64}))
    assert empty.is_empty()


def test_a_frame_may_lack_the_column_of_partners(db: Connection, link: int) -> None:
    found = clicks.attribute(db, pl.DataFrame({"referral_code": ["acme", None]}))
    assert found["partner_id"].to_list() == [link, None]


def test_times_in_another_zone_and_unit_are_the_same_instants(db: Connection, link: int) -> None:
    follow(db, "acme")
    sold = NOON.astimezone(ZoneInfo("America/New_York"))
    frame = pl.DataFrame({"visitor": [ANN], "at": [sold]}).with_columns(pl.col("at").dt.cast_time_unit("ms"))
    found = clicks.attribute(db, frame)
    assert found["attribution"].to_list() == ["click"]
    assert found["at"].dtype == frame["at"].dtype, "the sale's own time stays as it was given"
