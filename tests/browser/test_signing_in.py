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
        ("partner", ["Earnings"]),
    ],
)
def test_the_menu_shows_the_screens_of_the_role(page: Page, sign_in: Any, who: str, screens: list[str]) -> None:
    sign_in(page, who, afresh=True)
    menu = page.get_by_test_id("stSidebarNavLink")
    expect(menu).to_have_text(screens)
