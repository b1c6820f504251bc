"""The Partners screen, run without a browser: what it shows, and that an act shows at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import core.runtime
from core import settings
from core.partners import codes, programs, registry
from core.viewer import Viewer
from data.postgres import transaction
from pages.parts import session

PAGE = Path(__file__).resolve().parents[2] / "pages" / "admin" / "partners.py"


@pytest.fixture
def screen(database: Any, admin: Viewer, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The screen before an admin, over an empty registry."""
    monkeypatch.setattr(session, "require_screen", lambda _: admin)
    monkeypatch.setattr(core.runtime, "_house", SimpleNamespace(settings=settings.read({})))
    return AppTest.from_file(PAGE, default_timeout=30)


@pytest.fixture
def acme(screen: AppTest, admin: Viewer) -> registry.Partner:
    with transaction() as db:
        programs.open_program(db, admin, code="europe", name="Europe", currency="EUR")
        fields = {"code": "acme", "name": "Acme *Travel*", "type": "affiliate", "program": "europe", "region": "eu"}
        return registry.enrol(db, admin, fields)


def fine(screen: AppTest) -> AppTest:
    assert not screen.exception, [error.value for error in screen.exception]
    return screen


def status(admin: Viewer, partner: registry.Partner) -> str:
    with transaction() as db:
        return str(registry.one(db, admin, partner.id)["status"])


def words(screen: AppTest) -> str:
    return " ".join(line.value for line in [*screen.markdown, *screen.caption, *screen.warning])


def opened(screen: AppTest, partner: registry.Partner) -> AppTest:
    screen.query_params["open"] = partner.code
    return fine(screen.run())


def test_an_empty_registry_says_what_to_do(screen: AppTest) -> None:
    fine(screen.run())
    assert "New partner" in words(screen)
    assert [metric.value for metric in screen.metric] == ["0", "0", "0", "0"]


def test_the_registry_lists_partners_and_counts_their_statuses(screen: AppTest, acme: registry.Partner) -> None:
    fine(screen.run())
    assert [metric.value for metric in screen.metric] == ["1", "0", "0", "0"]
    table = screen.dataframe[0].value
    assert (table["Partner"][0], table["Program"][0], table["Region"][0]) == ("Acme *Travel*", "Europe", "Europe")


def test_filters_narrow_the_list_and_say_when_nothing_is_left(screen: AppTest, acme: registry.Partner) -> None:
    fine(screen.run())
    fine(screen.text_input(key="search").set_value("acme").run())
    assert len(screen.dataframe) == 1
    fine(screen.multiselect(key="status").set_value(["active"]).run())
    assert len(screen.dataframe) == 0
    assert "No partner matches" in words(screen)


def test_a_ticked_partner_is_approved_and_it_shows_at_once(
    screen: AppTest, acme: registry.Partner, admin: Viewer
) -> None:
    fine(screen.run())
    tick(screen, "partners_", 0)
    assert screen.button(key="approve_ticked").label == "Approve 1"
    fine(screen.button(key="approve_ticked").click().run())
    assert status(admin, acme) == "active"
    assert screen.metric[1].value == "1"
    assert screen.button(key="approve_ticked").disabled, "no tick slipped to another row"


def test_what_somebody_changed_meanwhile_is_not_approved_unseen(
    screen: AppTest, acme: registry.Partner, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick names the version that was shown; the table of a newer version has another key, and no tick."""
    fine(screen.run())
    tick(screen, "partners_", 0)
    with transaction() as db:
        registry.change(db, admin, acme.id, 1, {"share_bps": 10_000})
    fine(screen.button(key="approve_ticked").click().run())
    assert status(admin, acme) == "pending"


def test_the_file_of_a_partner_has_an_address(screen: AppTest, acme: registry.Partner, admin: Viewer) -> None:
    with transaction() as db:
        codes.issue(db, admin, acme.id, code="acme-10", kind="coupon")
    opened(screen, acme)
    assert "Europe, in EUR, UTC" in words(screen)
    tables = [table.value for table in screen.dataframe]
    assert any("acme-10" in list(table.get("Code", [])) for table in tables)
    acts = [line.value.split("**")[1] for line in screen.markdown if line.value.startswith("**")]
    assert acts[-2:] == ["Referral code issued", "Partner enrolled"]


@pytest.mark.parametrize("code", ["nobody", "../../etc", "x" * 500, "<b>"])
def test_an_address_that_names_nobody_shows_the_registry(screen: AppTest, acme: registry.Partner, code: str) -> None:
    screen.query_params["open"] = code
    fine(screen.run())
    assert "open" not in screen.query_params
    assert screen.dataframe[0].value["Code"][0] == "acme"


@pytest.mark.parametrize(
    ("now", "acts"),
    [
        ("pending", {"act_approve", "act_terminate_do"}),
        ("active", {"act_suspend_do", "act_terminate_do"}),
        ("suspended", {"act_reinstate", "act_terminate_do"}),
        ("terminated", set()),
    ],
)
def test_a_file_offers_what_the_status_allows_and_nothing_else(
    screen: AppTest, admin: Viewer, now: str, acts: set[str]
) -> None:
    with transaction() as db:
        partner = registry.enrol(db, admin, {"code": "bolt", "name": "Bolt", "type": "shopify", "status": now})
    opened(screen, partner)
    assert {button.key for button in screen.button if str(button.key).startswith("act_")} == acts


def test_programs_show_their_terms_in_their_own_currency(screen: AppTest, acme: registry.Partner) -> None:
    screen.query_params["view"] = "Programs and groups"
    fine(screen.run())
    table = next(frame.value for frame in screen.dataframe if "Program" in frame.value and "Payday" in frame.value)
    assert (table["Program"][0], table["Minimum"][0], table["Click counts for"][0]) == ("Europe", "€0.00", "30 days")


def test_each_form_opens(screen: AppTest, acme: registry.Partner) -> None:
    fine(screen.run())
    fine(screen.button(key="new_partner").click().run())
    assert "enrol_name" in {field.key for field in screen.text_input}
    screen.query_params["view"] = "Programs and groups"
    for key, field in (("new_program", "program_name"), ("new_terms", "terms_minimum"), ("new_group", "group_name")):
        fine(screen.run())
        fine(screen.button(key=key).click().run())
        assert field in {one.key for one in screen.text_input}


def tick(screen: AppTest, key: str, *positions: int) -> None:
    """Tick rows of a table, as a click on its boxes would."""
    found = next(str(table.key) for table in screen.dataframe if str(table.key).startswith(key))
    screen.session_state[found] = {"selection": {"rows": list(positions), "columns": [], "cells": []}}
    fine(screen.run())
