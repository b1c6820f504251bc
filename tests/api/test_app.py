"""The server as a whole: which addresses are ours, and what a broken page says."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from streamlit.testing.v1 import AppTest

from core.runtime import House
from core.viewer import SCREENS

RESERVED = ("_stcore", "media", "component", "static")
"""Streamlit's own first words of an address."""


@pytest.fixture
def app(house: House) -> Iterator[ModuleType]:
    """The module, over an open house."""
    sys.modules.pop("app", None)
    yield importlib.import_module("app")
    sys.modules.pop("app", None)


def paths(app: ModuleType) -> list[str]:
    return [getattr(route, "path", "") for route in app.app._user_routes]


def test_the_routes_take_no_address_of_a_screen_or_of_streamlit(app: ModuleType) -> None:
    found = paths(app)
    assert {"/health", "/ready"} <= set(found)
    assert any(path.startswith("/r/") for path in found)
    firsts = {path.split("/")[1] for path in found}
    assert not firsts & {*SCREENS, *RESERVED}


def test_no_two_routes_share_an_address(app: ModuleType) -> None:
    found = [
        (getattr(route, "path", ""), tuple(sorted(getattr(route, "methods", None) or ())))
        for route in app.app._user_routes
    ]
    assert len(found) == len(set(found))


def test_the_script_stands_in_pages_and_not_beside_the_server(app: ModuleType) -> None:
    """Beside it, the first session of a process would run a page without the sign-in."""
    assert str(app.app._script_path).endswith("pages/main.py")


def test_the_keys_of_sign_in_are_this_house_s_own(app: ModuleType, house: House) -> None:
    auth = app.secrets["auth"]
    assert auth["redirect_uri"].startswith(house.settings.public_url)
    assert len(auth["cookie_secret"]) >= 32


def test_a_broken_page_says_so_in_one_sentence_and_keeps_the_details_to_the_log(
    app: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    def page() -> None:
        import app as server

        assert server.on_script_error(RuntimeError("password=hunter2"))

    screen = AppTest.from_function(page, default_timeout=30).run()
    assert [error.value for error in screen.error] == [
        "This page could not be shown. Nothing you entered was stored half-way; reload it, or look at System."
    ]
    assert "hunter2" not in str(screen.main)
    assert "hunter2" in caplog.text
