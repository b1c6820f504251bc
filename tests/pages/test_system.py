"""The System screen: the feed, the jobs, the proof and the trail, as an admin finds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

import core.runtime
from core.partners import registry
from core.runtime import House, transaction
from core.viewer import SYSTEM
from pages.parts import session

PAGE = Path(session.__file__).resolve().parents[1] / "admin" / "system.py"


@pytest.fixture
def screen(house: House, signed_in: Callable[..., UUID]) -> AppTest:
    house.warehouse.refresh()
    opened = AppTest.from_file(PAGE, default_timeout=60)
    signed_in(opened, "admin")
    return opened


def fine(screen: AppTest) -> AppTest:
    assert not screen.exception, [error.value for error in screen.exception]
    return screen


def trail(screen: AppTest) -> list[str]:
    return next((list(frame.value["Act"]) for frame in screen.dataframe if "Act" in frame.value), [])


def test_it_shows_the_feed_the_jobs_and_what_was_done(screen: AppTest, house: House, sell: Any) -> None:
    sell(house, [{"order_id": "1", "at": "2026-03-01T10:00:00Z", "amount": "1.00", "currency": "USD"}])
    fine(screen.run())
    cards = {card.label: card.value for card in screen.metric}
    assert cards[":gray[Feed]"] == "follows"
    assert cards[":gray[Sale lines copied]"] == "1"
    jobs = next(frame.value for frame in screen.dataframe if "What for" in frame.value)
    assert len(jobs) >= 1
    assert any(act.startswith("import") for act in trail(screen))


def test_the_proof_holds_and_says_how_many_comparisons(screen: AppTest) -> None:
    fine(screen.run())
    assert not screen.success
    fine(screen.button(key="check_now").click().run())
    assert "comparisons hold" in screen.success[0].value


def test_a_warehouse_that_differs_is_named_loudly(screen: AppTest, house: House, sell: Any) -> None:
    sell(house, [{"order_id": "1", "at": "2026-03-01T10:00:00Z", "amount": "1.00", "currency": "USD"}])
    house.warehouse.store.execute("update marts.revenue_day set net_minor = net_minor + 1")
    fine(screen.run())
    fine(screen.button(key="check_now").click().run())
    assert screen.error


def test_a_feed_that_waits_says_why(screen: AppTest, house: House) -> None:
    house.warehouse.feed.fault = "Postgres does not answer"
    fine(screen.run())
    feed = next(card for card in screen.metric if card.label == ":gray[Feed]")
    assert (feed.value, feed.delta) == ("waits", "Postgres does not answer")


def test_the_trail_is_narrowed_by_the_beginning_of_an_act(screen: AppTest) -> None:
    with transaction() as db:
        registry.enrol(db, SYSTEM, {"code": "acme", "name": "=Acme **x**", "type": "affiliate"})
    fine(screen.run())
    fine(screen.text_input(key="audit_filter").set_value("partner.").run())
    assert set(trail(screen)) == {"partner.enrolled"}
    for words in ("%", "_", "nothing of this", "'; drop table audit", "\\"):
        fine(screen.text_input(key="audit_filter").set_value(words).run())
        assert trail(screen) == []
        assert "No act begins with that." in " ".join(line.value for line in screen.markdown)


def test_a_caution_about_postgres_is_told_here(screen: AppTest, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.runtime, "_house", replace(house, caution="Upgrade Postgres."))
    fine(screen.run())
    assert [line.value for line in screen.info] == ["Upgrade Postgres."]


def test_a_trail_of_many_acts_shows_the_newest(screen: AppTest) -> None:
    with transaction() as db:
        db.execute(
            text(
                "insert into audit (actor, act, subject, origin)"
                " select 'Ana', 'test.act', 'thing:' || n, '' from generate_series(1, 500) as n"
            )
        )
    fine(screen.run())
    shown = next(frame.value for frame in screen.dataframe if "Act" in frame.value)
    assert len(shown) == 200
    assert "thing:500" in set(shown["To what"])
