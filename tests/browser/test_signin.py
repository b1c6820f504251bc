"""The whole way in and out, in a browser: the first admin, an invitation, a second factor, and the end of a session."""

from __future__ import annotations

import re
import time
from typing import Any

import pyotp
from playwright.sync_api import Browser, Page, expect

PASSWORD = "four plain random words"
TABS_END_WITHIN_S = 5.0


def no_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def set_up(page: Page, link: str, **typed: str) -> None:
    """Fill in the page of a one-time link and go on to the sign-in."""
    page.goto(link)
    no_sideways(page)
    for name, word in {**typed, "password": PASSWORD, "repeated": PASSWORD}.items():
        page.locator(f"input[name={name}]").fill(word)
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()


def type_in(page: Page, url: str, email: str, ready: Any) -> None:
    page.goto(url)
    ready(page)
    page.locator(".st-key-sign_in button").click()
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()


def test_from_the_first_admin_to_a_colleague_who_is_shut_out_again(
    served_empty: Any, browser: Browser, ready: Any
) -> None:
    house = served_empty
    desk = browser.new_page(viewport={"width": 1440, "height": 900})
    phone = browser.new_page(viewport={"width": 390, "height": 844})

    # The very first session of this process asks for a screen by its address: no page runs without a sign-in.
    desk.goto(f"{house.url}/people")
    ready(desk)
    expect(desk.get_by_role("heading", name="Welcome to Millrace")).to_be_visible()
    expect(desk.get_by_test_id("stDataFrame")).to_have_count(0)
    expect(desk.get_by_test_id("stSidebarNavLink")).to_have_count(0)

    link = re.findall(r"http\S+/idp/setup\?token=\S+", house.says())[0]
    set_up(desk, link, name="Fay First", email="fay@example.com")
    desk.goto(link)
    expect(desk.get_by_text("This link was used")).to_be_visible()

    type_in(desk, f"{house.url}/people", "fay@example.com", ready)
    desk.wait_for_url(f"{house.url}/people")  # where they wanted to go before they had to sign in
    ready(desk)

    desk.locator(".st-key-invite_open button").click()
    desk.locator(".st-key-invite_name input").fill("Nell New")
    desk.locator(".st-key-invite_email input").fill("nell")
    desk.locator(".st-key-invite_roles button", has_text="Analyst").click()
    desk.locator(".st-key-invite_send button").click()
    expect(desk.get_by_text("This is not an e-mail address")).to_be_visible()
    desk.locator(".st-key-invite_email input").fill("nell@example.com")
    desk.locator(".st-key-invite_send button").click()
    invitation = desk.get_by_test_id("stCode").inner_text().strip()
    desk.keyboard.press("Escape")

    phone.goto(invitation)
    secret = phone.locator("code").inner_text().replace(" ", "")
    set_up(phone, invitation, code=pyotp.TOTP(secret).now())
    type_in(phone, house.url, "nell@example.com", ready)
    phone.locator("input[name=code]").fill(pyotp.TOTP(secret).at(time.time() + 30))  # the step after the one just used
    phone.locator("button[type=submit]").click()
    phone.wait_for_url(lambda address: "/idp/" not in address)
    ready(phone)
    expect(phone.get_by_role("heading", name="Overview")).to_be_visible()
    no_sideways(phone)

    desk.goto(f"{house.url}/people")
    ready(desk)
    table = desk.get_by_test_id("stDataFrame").bounding_box()
    assert table
    desk.mouse.click(table["x"] + 17, table["y"] + 18 + 31 * 2)  # the second row: Nell
    expect(desk.locator(".st-key-people_acts")).to_contain_text("Nell New")
    desk.locator(".st-key-act_status button").click()
    began = time.monotonic()
    expect(phone.get_by_text("This account is disabled")).to_be_visible()
    assert time.monotonic() - began < TABS_END_WITHIN_S
    expect(phone.get_by_role("heading", name="Overview")).to_have_count(0)
    desk.context.close()
    phone.context.close()


def test_signing_out_ends_the_other_tab_within_five_seconds(page: Page, served: Any, sign_in: Any, ready: Any) -> None:
    sign_in(page, "executive", afresh=True)
    other = page.context.new_page()
    other.goto(f"{served.url}/revenue")
    ready(other)
    page.locator(".st-key-account button").first.click()
    page.locator(".st-key-sign_out button").click()
    began = time.monotonic()
    expect(other.get_by_text("You have been signed out")).to_be_visible()
    assert time.monotonic() - began < TABS_END_WITHIN_S
    expect(other.get_by_test_id("stSidebarNavLink")).to_have_count(0)
    expect(page.get_by_role("heading", name="Welcome to Millrace")).to_be_visible()
    served.cookies.pop("executive", None)


def test_a_forged_or_foreign_cookie_is_nobody(page: Page, served: Any, ready: Any) -> None:
    forged = "2|1:0|10:1700000000|15:_streamlit_user|20:eyJpc19sb2dnZWRfaW4iOnRydWV9|" + "0" * 64
    page.context.add_cookies([{"name": "_streamlit_user", "value": forged, "url": served.url}])
    page.goto(f"{served.url}/people")
    ready(page)
    expect(page.get_by_role("heading", name="Welcome to Millrace")).to_be_visible()


def test_the_pages_of_sign_in_fit_a_telephone_in_the_dark(phone: Page, served: Any) -> None:
    phone.emulate_media(color_scheme="dark")
    said: list[str] = []
    phone.on("console", lambda message: said.append(message.text))
    phone.goto(served.url)
    phone.locator(".st-key-sign_in button").click()
    expect(phone.get_by_label("E-mail")).to_be_focused()
    no_sideways(phone)
    background = phone.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", background)[:3])) < 120
    phone.get_by_label("E-mail").fill("nobody@house.example")
    phone.get_by_label("Password").fill("not the right words")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("alert")).to_contain_text("do not match")
    assert not [line for line in said if "Content Security Policy" in line]
