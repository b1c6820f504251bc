"""The menu and who opens what: each role opens each of its pages and no other, whatever they type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from core.partners import registry
from core.runtime import House, transaction
from core.viewer import ROLES, SCREENS, SYSTEM, Role
from pages.parts import session

PAGES = Path(session.__file__).resolve().parents[1]
FILES = {
    "overview": "executive/overview.py",
    "revenue": "executive/revenue.py",
    "earnings": "partner/earnings.py",
    "partners": "admin/partners.py",
    "import": "admin/imports.py",
    "people": "admin/people.py",
    "system": "admin/system.py",
}
SignIn = Callable[..., UUID]
LOCKED = "Your roles do not open this screen; ask an admin to change them under People."


@pytest.fixture(autouse=True)
def acme(house: House) -> None:
    with transaction() as db:
        registry.enrol(db, SYSTEM, {"code": "acme", "name": "Acme", "type": "affiliate", "status": "active"})
    house.warehouse.refresh()


def app(signed_in: SignIn, *roles: Role) -> AppTest:
    screen = AppTest.from_file(PAGES / "main.py", default_timeout=60)
    signed_in(screen, *roles, partners=("acme",) if "partner" in roles else ())
    return fine(screen.run())


def fine(screen: AppTest) -> AppTest:
    assert not screen.exception, [error.value for error in screen.exception]
    return screen


def addresses(screen: AppTest) -> list[str]:
    return [page["url_pathname"] for page in screen._registered_pages.values() if page["url_pathname"]]  # type: ignore[attr-defined]


def test_every_screen_of_the_table_has_its_file_here() -> None:
    assert set(FILES) == set(SCREENS)


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_of_a_role_is_what_its_roles_open(signed_in: SignIn, role: Role) -> None:
    assert addresses(app(signed_in, role)) == [screen for screen in FILES if role in SCREENS[screen]]


def test_somebody_with_several_roles_has_the_union(signed_in: SignIn) -> None:
    assert addresses(app(signed_in, "partner", "executive")) == ["overview", "revenue", "earnings"]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_each_of_its_pages_and_no_other(signed_in: SignIn, role: Role) -> None:
    screen = app(signed_in, role)
    for name, file in FILES.items():
        if role in SCREENS[name]:
            opened = fine(screen.switch_page(file).run())
            assert opened.title[0].value.lower() == name
            assert LOCKED not in [line.value for line in opened.warning]
        else:
            with pytest.raises(ValueError, match="Could not find a navigation page"):
                screen.switch_page(file)


@pytest.mark.parametrize("name", FILES)
def test_a_page_run_directly_shows_nothing_but_the_sign_in_to_nobody(house: House, name: str) -> None:
    screen = AppTest.from_file(PAGES / FILES[name], default_timeout=30)
    fine(screen.run())
    assert [title.value for title in screen.title] == ["Welcome to Millrace"]
    assert [button.key for button in screen.button] == ["sign_in"]
    assert not screen.metric
    assert not screen.dataframe
    assert not screen.get("plotly_chart")


@pytest.mark.parametrize(("name", "role"), [(n, role) for n in FILES for role in ROLES if role not in SCREENS[n]])
def test_a_page_run_directly_shows_the_refusal_and_nothing_else_to_the_wrong_role(
    signed_in: SignIn, name: str, role: Role
) -> None:
    screen = AppTest.from_file(PAGES / FILES[name], default_timeout=30)
    signed_in(screen, role, partners=("acme",) if role == "partner" else ())
    fine(screen.run())
    assert [line.value for line in screen.warning] == [LOCKED]
    assert not [*screen.title, *screen.metric, *screen.dataframe, *screen.button, *screen.markdown]


def test_somebody_without_a_role_is_told_whom_to_ask_and_can_leave(signed_in: SignIn) -> None:
    screen = app(signed_in)
    assert "ask an admin" in " ".join(line.value for line in screen.markdown).lower()
    assert "sign_out" in {button.key for button in screen.button}
    assert not screen.metric


@pytest.mark.parametrize("role", ROLES)
def test_an_empty_house_says_what_to_do_on_every_page(signed_in: SignIn, role: Role) -> None:
    screen = app(signed_in, role)
    for name in (name for name in FILES if role in SCREENS[name]):
        opened = fine(screen.switch_page(FILES[name]).run())
        said = " ".join(line.value for line in [*opened.markdown, *opened.caption, *opened.info])
        assert "." in said or name == "partners", f"{name} says nothing"  # Acme stands there
        if name in ("overview", "revenue", "earnings"):
            assert "No sales in this period and filter." in said
            assert ("Import" in said) == (role == "admin")


def test_a_page_says_how_fresh_its_numbers_are(signed_in: SignIn) -> None:
    screen = app(signed_in, "executive")
    assert "Up to date" in " ".join(line.value for line in screen.sidebar.caption)


def test_a_feed_that_lags_is_said_loudly(signed_in: SignIn, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.warehouse.feed.fault = "Postgres is gone_fishing"
    position = house.warehouse.feed.position
    assert position is not None
    monkeypatch.setattr(type(house.warehouse), "freshness", lambda _: late(position.read_at - 3600))
    screen = app(signed_in, "executive")
    said = screen.sidebar.warning[0].value
    assert "1 h ago" in said
    assert "goes on trying" in said


def late(read_at: float) -> object:
    from data.warehouse import Freshness

    return Freshness(read_at, False, "Postgres is gone_fishing")
