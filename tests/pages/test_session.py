"""Who is looking, as the screens know it: nobody, somebody, and somebody whose session has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

import core.runtime
from core.runtime import House
from core.trust import sessions
from data.postgres import transaction
from data.store import people as store
from data.store import sessions as session_store
from pages.parts import session


def a_screen() -> None:
    import streamlit as st

    from pages.parts import session

    who = session.viewer()
    st.title(f"Hello {who.name}")
    with st.sidebar:
        session.account_menu(who)


def a_security_dialog() -> None:
    """What the dialog holds, which AppTest would close between two runs."""
    from pages.parts import session

    session._security.__wrapped__(session.viewer())


@pytest.fixture
def dialog(house: House) -> AppTest:
    return AppTest.from_function(a_security_dialog, default_timeout=30)


@pytest.fixture
def screen(house: House) -> AppTest:
    return AppTest.from_function(a_screen, default_timeout=30)


def fine(screen: AppTest) -> AppTest:
    assert not screen.exception, [error.value for error in screen.exception]
    return screen


def titles(screen: AppTest) -> list[str]:
    return [title.value for title in fine(screen).title]


def test_nobody_sees_the_sign_in_and_nothing_else(screen: AppTest) -> None:
    assert titles(screen.run()) == ["Welcome to Millrace"]
    assert [button.key for button in screen.button] == ["sign_in"]
    assert "first admin" in screen.caption[0].value


def test_a_cookie_that_says_nothing_of_a_sign_in_is_nobody(screen: AppTest) -> None:
    for user in ({}, {"email": "admin@house.example"}, {"is_logged_in": False, "sub": "1"}, {"is_logged_in": True}):
        screen.user = dict(user)
        assert titles(screen.run()) == ["Welcome to Millrace"]


def test_the_demo_lists_its_sign_ins(screen: AppTest, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.runtime, "_house", replace(house, settings=replace(house.settings, demo=True)))
    screen.run()
    assert "partner@demo.example" in " ".join(line.value for line in fine(screen).markdown)


def test_somebody_signed_in_is_greeted_and_has_their_menu(screen: AppTest, signed_in: Callable[..., UUID]) -> None:
    signed_in(screen, "admin", "analyst", name="Ana Able")
    assert titles(screen.run()) == ["Hello Ana Able"]
    assert {"account_security", "sign_out"} <= {button.key for button in screen.button}
    assert ":blue-badge[Admin] :blue-badge[Analyst]" in [line.value for line in screen.markdown]


def test_signing_out_ends_the_session_and_shows_the_sign_in(screen: AppTest, signed_in: Callable[..., UUID]) -> None:
    person = signed_in(screen, "admin")
    before = dict(screen.user)
    screen.run()
    fine(screen.button(key="sign_out").click().run())
    screen.user = before  # the old cookie, in another tab
    assert titles(screen.run()) == ["Welcome to Millrace"]
    assert "signed out" in screen.info[0].value
    with transaction() as db:
        assert not session_store.of_person(db, person, sessions.now() - sessions.IDLE)


def test_a_session_ended_elsewhere_ends_this_tab(screen: AppTest, signed_in: Callable[..., UUID]) -> None:
    person = signed_in(screen, "admin")
    assert titles(screen.run()) == ["Hello Admin"]
    with transaction() as db:
        session_store.revoke_all(db, person, sessions.now())
    assert titles(screen.run()) == ["Welcome to Millrace"]


def test_a_disabled_person_is_told_so(screen: AppTest, signed_in: Callable[..., UUID]) -> None:
    person = signed_in(screen, "admin")
    screen.run()
    with transaction() as db:
        store.change(db, person, {"status": "disabled"})
    assert titles(screen.run()) == ["Welcome to Millrace"]
    assert "disabled" in screen.info[0].value


def test_the_other_sessions_are_shown_and_can_be_ended(dialog: AppTest, signed_in: Callable[..., UUID]) -> None:
    person = signed_in(dialog, "admin")
    with transaction() as db:
        row = {"person_id": person, "token_key": "other", "amr": ["pwd"], "auth_time": sessions.now()}
        session_store.begin(db, {**row, "agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/150.0", "origin": "10.1.1.1"})
    fine(dialog.run())
    assert "Firefox on Windows · 10.1.1.1" in " ".join(line.value for line in dialog.caption)
    fine(dialog.button(key="end_others").click().run())
    assert "Only here." in [line.value for line in dialog.markdown]
    with transaction() as db:
        assert len(session_store.of_person(db, person, sessions.now() - sessions.IDLE)) == 1


@pytest.mark.parametrize("key", ["own_factor", "own_password"])
def test_a_person_gets_a_link_for_their_own_account(dialog: AppTest, signed_in: Callable[..., UUID], key: str) -> None:
    signed_in(dialog, "executive")
    fine(dialog.run())
    assert not dialog.get("link_button")
    fine(dialog.button(key=key).click().run())
    assert "/idp/setup?token=" in dialog.get("link_button")[0].proto.url


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36", "Chrome on Linux"),
        ("curl/8", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_session_names_its_device_in_plain_words(agent: str, words: str) -> None:
    assert session.device(agent) == words
