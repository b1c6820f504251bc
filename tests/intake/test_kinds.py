"""Every kind of fact comes in through the same way: written once, repeated without effect."""

from __future__ import annotations

import polars as pl
import pytest
from sqlalchemy import Connection, text

from core.intake.kinds import KINDS
from core.intake.load import load_frame
from core.viewer import Viewer
from data.tables import metadata

ROWS: dict[str, dict[str, object]] = {
    "organizations": {"source_id": "o1", "name": "Orbit", "plan": "pro", "region": "eu", "partner": "acme"},
    "customers": {"source_id": "c1", "name": "Ann", "email": "ann@example.com", "organization": "o1"},
    "sales": {
        "order_id": "1",
        "at": "2026-03-01 10:00",
        "amount": "9.99",
        "currency": "USD",
        "partner": "acme",
        "customer": "c1",
    },
    "subscriptions": {
        "subscription": "s1",
        "at": "2026-03-01",
        "plan": "pro",
        "amount": 49,
        "currency": "USD",
        "status": "active",
        "customer": "c1",
        "organization": "o1",
        "discount": "4.50",
        "paid_until": "2026-04-01",
    },
    "events": {"event": "signup", "at": "2026-03-01 10:00", "user": "u1", "device": "phone", "empty": None},
    "usage": {
        "at": "2026-03-01 10:00",
        "provider": "openai",
        "model": "m1",
        "input_tokens": 100,
        "cached_tokens": 10,
        "output_tokens": 5,
        "latency_ms": 250,
        "quality": "0.875",
        "converted": True,
        "cost": "0.000123456",
        "currency": "USD",
        "organization": "o1",
    },
    "spend": {"day": "2026-03-01", "channel": "search", "amount": "100", "currency": "USD"},
    "partners": {
        "code": "borealis",
        "name": "Borealis",
        "type": "affiliate",
        "status": "active",
        "region": "na",
        "share": "12.5",
        "capabilities": "api, reports",
    },
    "rates": {"day": "2026-03-01", "from": "EUR", "to": "USD", "rate": "1.0850"},
    "goals": {"metric": "net_revenue", "month": "2026-03", "target": "100000", "currency": "USD"},
    "clicks": {"referral_code": "ACME10", "visitor": "v1", "at": "2026-03-01 10:00"},
    "experiments": {"code": "x1", "name": "Price page", "unit": "user", "variants": '{"a": 50, "b": 50}'},
    "assignments": {"experiment": "x1", "unit": "u1", "variant": "a", "at": "2026-03-01 10:00"},
    "exposures": {"experiment": "x1", "unit": "u1", "variant": "a", "at": "2026-03-01 10:00"},
}


@pytest.fixture
def registered(db: Connection) -> None:
    db.execute(text("insert into partner (code, name, type) values ('acme', 'Acme', 'affiliate')"))
    db.execute(text("insert into referral_code (code, partner_id) select 'acme10', id from partner"))
    db.execute(
        text("""insert into experiment (code, name, unit, variants) values ('x1', 'X', 'user', '{"a": 1, "b": 1}')""")
    )


def test_every_kind_has_a_row_here() -> None:
    assert set(ROWS) == set(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in ROWS if kind != "experiments"])
@pytest.mark.usefixtures("registered")
def test_a_row_is_written_once_and_repeated_without_effect(db: Connection, admin: Viewer, kind: str) -> None:
    frame = pl.DataFrame([ROWS[kind]])
    first = load_frame(db, admin, kind, frame, source="shop")
    assert (first.state, first.rows_read, first.rows_written, first.rows_repeated) == ("done", 1, 1, 0)
    again = load_frame(db, admin, kind, frame, source="shop")
    assert (again.rows_written, again.rows_repeated, again.rows_contradicting) == (0, 1, 0)
    count = db.execute(text(f"select count(*) from {KINDS[kind].table} where xid is not null")).scalar_one()
    assert count == (2 if kind == "partners" else 1)
    assert KINDS[kind].table in metadata.tables


def test_an_experiment_is_written_and_its_status_follows_the_latest_file(db: Connection, admin: Viewer) -> None:
    row = ROWS["experiments"]
    load_frame(db, admin, "experiments", pl.DataFrame([{**row, "status": "running"}]), source="shop")
    load_frame(
        db,
        admin,
        "experiments",
        pl.DataFrame([{**row, "status": "ended", "ended_at": "2026-03-05"}]),
        source="shop",
    )
    assert db.execute(text("select status from experiment")).scalar_one() == "ended"


@pytest.mark.usefixtures("registered")
def test_values_arrive_in_the_units_of_the_record(db: Connection, admin: Viewer) -> None:
    for kind in ("subscriptions", "events", "usage", "spend", "partners", "rates", "goals"):
        load_frame(db, admin, kind, pl.DataFrame([ROWS[kind]]), source="shop")
    one = lambda query: tuple(db.execute(text(query)).one())  # noqa: E731
    assert one("select amount_minor, discount_minor, interval from subscription_change") == (4900, 450, "month")
    assert one("select properties, ordinal, unit_user from event") == ({"device": "phone"}, 1, "u1")
    assert one("select reported_cost_nano, quality::text, converted from usage") == (123456, "0.8750", True)
    assert one("select amount_minor, house_minor, rate_id from spend") == (10000, 10000, None)
    assert one("select share_bps, capabilities from partner where code = 'borealis'") == (1250, ["api", "reports"])
    assert one("select rate::text, source from rate") == ("1.085000000000", "shop")
    assert one("select target, month::text from goal") == (10000000, "2026-03-01")
