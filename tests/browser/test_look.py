"""How every page stands on a desk and on a telephone, in light and dark, without a mouse, without eyes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

SCREENS = {
    "admin": ("overview", "revenue", "partners", "import", "people", "system"),
    "partner": ("earnings",),
}
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}

WIDTHS = """() => {
    const main = document.querySelector('[data-testid=stMain]'), root = document.documentElement;
    return [root.scrollWidth - root.clientWidth, main.scrollWidth - main.clientWidth];
}"""
UNNAMED = """() => [...document.querySelectorAll('[data-testid=stPlotlyChart], [data-testid=stDataFrame]')]
    .filter(e => !(e.getAttribute('aria-label') || e.querySelector('[aria-label]')))
    .map(e => e.outerHTML.slice(0, 200))"""
SILENT = """() => [...document.querySelectorAll('button, input, [role=button], [role=combobox]')]
    .filter(e => e.offsetParent && !(e.innerText || '').trim() && !e.getAttribute('aria-label') && !e.title
        && !e.getAttribute('aria-labelledby') && !e.labels?.length && !e.querySelector('[aria-label], title'))
    .map(e => e.outerHTML.slice(0, 200))"""


def settled(page: Page, ready: Any) -> None:
    ready(page)
    page.wait_for_timeout(350)


@pytest.mark.parametrize("who", SCREENS)
def test_no_page_scrolls_sideways_or_complains_and_every_chart_has_words(
    page: Page, sign_in: Any, ready: Any, served: Any, who: str
) -> None:
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    sign_in(page, who)
    for screen in SCREENS[who]:
        page.set_viewport_size(DESK)  # type: ignore[arg-type]
        page.goto(f"{served.url}/{screen}")
        settled(page, ready)
        assert page.evaluate(WIDTHS) == [0, 0], f"{screen} scrolls sideways on a desk"
        assert page.evaluate(UNNAMED) == [], f"{screen} has a picture without words"
        assert page.evaluate(SILENT) == [], f"{screen} has a control without a name"
        assert page.locator("h1").count() == 1, f"{screen} has one heading"
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        settled(page, ready)
        assert page.evaluate(WIDTHS) == [0, 0], f"{screen} scrolls sideways on a telephone"
    # Streamlit looks beside each page for its own probes and finds none: that is no fault.
    assert [words for words in wrong if "404" not in words] == []


@pytest.mark.parametrize(("who", "screen"), [("executive", "overview"), ("partner", "earnings"), ("admin", "system")])
def test_a_page_in_the_dark_is_dark_and_fits_a_telephone(
    browser: Browser, sign_in: Any, ready: Any, who: str, screen: str
) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme="dark", reduced_motion="reduce", locale="en-US")  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, who, screen)
    settled(page, ready)
    assert page.evaluate(WIDTHS) == [0, 0]
    ground = page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    assert sum(int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(",")) < 150, ground
    context.close()


def test_the_keyboard_reaches_menu_period_filter_and_files(page: Page, sign_in: Any) -> None:
    sign_in(page, "executive", "revenue")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached |= set(
            page.evaluate("""() => {
            const keys = [];
            for (let e = document.activeElement; e; e = e.parentElement)
                keys.push(...[...(e.classList || [])].filter(c => c.startsWith('st-key-')), e.dataset?.testid || '');
            return keys;
        }""")
        )
    assert {"st-key-period", "st-key-only", "st-key-split", "st-key-trend_csv", "stSidebarNavLink"} <= reached


def test_a_period_is_chosen_by_keys_alone(page: Page, sign_in: Any, ready: Any) -> None:
    sign_in(page, "executive", "revenue")
    page.locator(".st-key-period button").filter(has_text="30D").focus()
    page.keyboard.press("Space")
    page.wait_for_url("**period=30D*")
    ready(page)


def test_numbers_are_in_the_reader_s_locale(browser: Browser, sign_in: Any, ready: Any) -> None:
    context = browser.new_context(viewport=DESK, locale="de-DE")  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, "executive", "revenue")
    ready(page)
    told = page.locator(".st-key-lines").get_by_test_id("stCaptionContainer").first.inner_text()
    assert re.search(r"\d\.\d{3},\d\d", told), told
    context.close()
