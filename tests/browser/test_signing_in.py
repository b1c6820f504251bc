"""Somebody of each role comes in through the real form, and sees the screens of their role and no other."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.parametrize(
    ("who", "screens"),
    [
        ("admin", ["Overview", "Revenue", "Partners", "Import", "People", "System"]),
        ("analyst", ["Overview", "Revenue"]),
        ("executive", ["Overview", "Revenue"]),
    ],
)
def test_the_menu_shows_the_screens_of_the_role(page: Page, sign_in: Any, who: str, screens: list[str]) -> None:
    sign_in(page, who, afresh=True)
    menu = page.get_by_test_id("stSidebarNavLink")
    expect(menu).to_contain_text(screens)  # each after its icon


def test_a_partner_arrives_on_earnings_and_has_no_menu_beside_it(page: Page, sign_in: Any) -> None:
    sign_in(page, "partner", afresh=True)
    expect(page.get_by_role("heading", name="Earnings")).to_be_visible()
    expect(page.get_by_test_id("stSidebarNavLink")).to_have_count(0)


def test_a_screen_of_another_role_does_not_open_by_its_address(page: Page, sign_in: Any) -> None:
    sign_in(page, "partner", at="revenue")
    expect(page.get_by_role("heading", name="Revenue")).to_have_count(0)
    expect(page.get_by_role("heading", name="Earnings")).to_be_visible()


def test_the_first_visitor_of_a_process_is_asked_to_sign_in(page: Page, served_empty: Any, ready: Any) -> None:
    # A pages/ folder beside the script would show the first session a page without the script that signs people in.
    page.goto(f"{served_empty.url}/overview")
    ready(page)
    expect(page.locator(".st-key-sign_in")).to_be_visible()
    expect(page.get_by_role("heading", name="Overview")).to_have_count(0)
