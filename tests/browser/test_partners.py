"""An admin enrols a partner, approves it, gives it a link; somebody follows the link; the partner is suspended."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

SHOP = "https://shop.example.com/offer"


def click(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()


def fill(page: Page, key: str, words: str) -> None:
    page.locator(f"[class*='st-key-{key}'] input").first.fill(words)


def card(page: Page, status: str) -> str:
    return page.locator(".st-key-partner_counts").get_by_test_id("stMetric").filter(has_text=status).inner_text()


def test_a_partner_from_enrolment_to_suspension(page: Page, sign_in: Any, ready: Any, served: Any) -> None:
    sign_in(page, "admin", "partners")
    click(page, "new_partner")
    fill(page, "enrol_name", "Cedar *Cloud*")
    click(page, "enrol_do")
    drawer = page.get_by_role("dialog", name="Cedar *Cloud*")
    expect(drawer).to_contain_text("Pending")
    expect(page).to_have_url(f"{served.url}/partners?open=cedar-cloud")
    assert "1" in card(page, "Pending"), "it shows at once"

    click(page, "act_approve")
    expect(drawer).to_contain_text("Active")
    drawer.get_by_role("tab", name="Codes").click()
    drawer.get_by_text("Issue a code").click()
    fill(page, "issue_", "Cedar-Spring")
    page.locator("[class*=_landing] input").fill(SHOP)
    click(page, "issue_do")
    expect(page.get_by_test_id("stToast").last).to_contain_text("The code cedar-spring belongs to Cedar *Cloud*.")

    answer = page.request.get(f"{served.url}/r/CEDAR-spring", max_redirects=0, headers={"user-agent": "Mozilla/5.0"})
    assert answer.status == 302
    assert answer.headers["location"].startswith(f"{SHOP}?mr_visitor=")
    assert answer.headers["location"].endswith("&ref=cedar-spring")
    with served.engine.connect() as db:
        assert db.execute(text("select count(*) from click")).scalar_one() == 1

    click(page, "act_suspend")
    click(page, "act_suspend_do")
    expect(page.get_by_test_id("stPopoverBody")).to_contain_text("Say why")
    fill(page, "act_suspend_reason", "Invoices do not match")
    click(page, "act_suspend_do")
    expect(drawer).to_contain_text("Suspended")
    drawer.get_by_role("tab", name="History").click()
    expect(drawer).to_contain_text("reason Invoices do not match")
    ready(page)
    drawer.get_by_role("button", name="Close").click()
    expect(page).to_have_url(f"{served.url}/partners")


def test_a_link_that_was_never_issued_says_so_in_the_browser(page: Page, served: Any) -> None:
    answer = page.goto(f"{served.url}/r/never-issued")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading")).to_have_text("This link leads nowhere")


@pytest.mark.parametrize("view", ["", "?open=acme", "?view=Programs+and+groups"])
def test_no_view_of_the_registry_scrolls_sideways_on_a_phone(
    phone: Page, sign_in: Any, ready: Any, served: Any, view: str
) -> None:
    sign_in(phone, "admin", f"partners{view}")
    ready(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("who", ["analyst", "executive", "partner"])
def test_the_registry_opens_for_admins_alone(page: Page, sign_in: Any, who: str) -> None:
    sign_in(page, who, "partners?open=acme")
    expect(page.get_by_role("heading", name="Partners", exact=True)).to_have_count(0)
    expect(page.get_by_role("dialog").filter(has_text="Suspend")).to_have_count(0)
