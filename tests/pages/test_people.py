"""The People screen, run without a browser: what it shows, and that an act shows at once.

Its dialogs close between two runs here; what they do is tried in a browser.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from core.runtime import House
from data import tables
from data.postgres import transaction
from data.store import people as store

PAGE = Path(__file__).resolve().parents[2] / "pages" / "admin" / "people.py"


@pytest.fixture
def screen(signed_in: Callable[..., UUID], house: House) -> AppTest:
    """The screen before an admin; an analyst is there too, and a partner to be chosen."""
    with transaction() as db:
        db.execute(insert(tables.partner).values(code="acme", name="Acme", type="affiliate", status="active"))
    opened = AppTest.from_file(PAGE, default_timeout=30)
    signed_in(opened, "analyst", name="Alan *Analyst*")
    signed_in(opened, "admin", name="Zoe Admin")
    return opened


def fine(screen: AppTest) -> AppTest:
    assert not screen.exception, [error.value for error in screen.exception]
    return screen


def pick(screen: AppTest, position: int) -> AppTest:
    key = next(str(table.key) for table in screen.dataframe if str(table.key).startswith("people_"))
    screen.session_state[key] = {"selection": {"rows": [position], "columns": [], "cells": []}}
    return fine(screen.run())


def person(email: str) -> dict[str, Any]:
    with transaction() as db:
        found = store.by_email(db, email)
    assert found
    return dict(found)


def test_everybody_is_listed_with_roles_and_status(screen: AppTest) -> None:
    table = fine(screen.run()).dataframe[0].value
    assert list(table["Name"]) == ["Alan *Analyst*", "Zoe Admin"]
    assert list(table["Roles"][0]) == ["Analyst"]
    assert list(table["Status"]) == ["Active", "Active"]
    assert list(table["Last seen"])[:1] == ["–"]


def test_the_form_of_an_invitation_opens(screen: AppTest) -> None:
    fine(screen.run())
    fine(screen.button(key="invite_open").click().run())
    assert {"invite_name", "invite_email"} == {field.key for field in screen.text_input}


def test_a_person_is_disabled_and_enabled_again(screen: AppTest) -> None:
    fine(screen.run())
    pick(screen, 0)
    fine(screen.button(key="act_status").click().run())
    assert list(screen.dataframe[0].value["Status"]) == ["Disabled", "Active"]
    assert not [button for button in screen.button if button.key == "act_status"], "no choice slipped to another row"
    pick(screen, 0)
    assert screen.button(key="act_status").label == "Enable"
    assert screen.button(key="act_reset").disabled
    fine(screen.button(key="act_status").click().run())
    assert "Disabled" not in list(screen.dataframe[0].value["Status"])


def test_the_last_admin_is_told_that_they_are_needed(screen: AppTest) -> None:
    fine(screen.run())
    pick(screen, 1)
    fine(screen.button(key="act_status").click().run())
    assert "only active admin" in screen.warning[0].value
    assert person("zoe.admin@house.example")["status"] == "active"


def test_a_new_link_closes_the_old_way_in(screen: AppTest) -> None:
    fine(screen.run())
    pick(screen, 0)
    fine(screen.button(key="act_reset").click().run())
    assert [code.value for code in screen.code if "/idp/setup?token=" in code.value]
    assert person("alan.*analyst*@house.example")["status"] == "invited"


def test_a_name_is_shown_as_it_was_typed(screen: AppTest) -> None:
    fine(screen.run())
    pick(screen, 0)
    assert "**Alan \\*Analyst\\***" in [line.value for line in screen.markdown]


@pytest.mark.parametrize("role", ["partner", "analyst", "executive"])
def test_the_screen_is_for_admins(screen: AppTest, signed_in: Callable[..., UUID], role: str) -> None:
    signed_in(screen, role, partners=("acme",) if role == "partner" else (), name="Somebody Else")
    fine(screen.run())
    assert not screen.dataframe
    assert "do not open this screen" in screen.warning[0].value
