"""Revenue in a browser: a click on a bar, the address that carries it, the lines beneath, and the file that adds up."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Download, Locator, Page, expect

from core.intake.load import load_frame
from core.viewer import SYSTEM

HOSTILE = "**b** <img src=x onerror=alert(1)> ![x](https://evil.example/a.png) $x^2$ :smile: =1+1"


def card(page: Page, title: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text=title).get_by_test_id("stMetricValue")


def bars(page: Page, key: str) -> Locator:
    return page.locator(f"[class*='st-key-{key}'] .barlayer g.point path")


def click(page: Page, ready: Any, key: str, place: int) -> None:
    """Click on a bar, in its left third: the middle of a lying bar may hold the tick of the period before."""
    bar = bars(page, key).nth(place)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    ready(page)


def told(page: Page) -> tuple[int, Decimal]:
    """What the drill-down says: how many lines, and what they add up to."""
    words = page.locator(".st-key-lines").get_by_test_id("stCaptionContainer").first.inner_text()
    found = re.search(r"([\d,]+) lines? that adds? up to (-?)\$([\d,.]+)", words)
    assert found, words
    return int(found[1].replace(",", "")), Decimal(found[2] + found[3].replace(",", ""))


def exactly(page: Page, title: str) -> Decimal:
    """The value of a card with all its digits, from its explanation."""
    page.get_by_test_id("stMetric").filter(has_text=title).get_by_test_id("stTooltipIcon").hover()
    words = page.get_by_test_id("stTooltipContent").inner_text()
    page.mouse.move(5, 5)
    found = re.search(r"Exactly: (-?)\$([\d,.]+)", words)
    assert found, words
    return Decimal(found[1] + found[2].replace(",", ""))


def rows(download: Download) -> list[dict[str, str]]:
    with Path(download.path()).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def revenue(page: Page, sign_in: Any) -> Page:
    sign_in(page, "executive", "revenue")
    return page


def test_a_click_filters_the_page_and_the_address_carries_it(revenue: Page, ready: Any) -> None:
    before = card(revenue, "Net revenue").inner_text()
    click(revenue, ready, "by_partner", 0)
    expect(revenue).to_have_url(re.compile(r"/revenue\?only=Partner%3A\+(acme|birch)$"))
    narrowed = card(revenue, "Net revenue").inner_text()
    assert narrowed != before
    assert exactly(revenue, "Net revenue") == told(revenue)[1]

    revenue.get_by_test_id("stSidebarNavLink").filter(has_text="Overview").click()
    revenue.wait_for_url(re.compile("/overview"))
    ready(revenue)
    expect(revenue).to_have_url(re.compile(r"/overview\?only=Partner"))  # the filter goes along
    expect(card(revenue, "Net revenue")).to_have_text(narrowed)

    revenue.get_by_test_id("stSidebarNavLink").filter(has_text="Revenue").click()
    revenue.wait_for_url(re.compile("/revenue"))
    ready(revenue)
    expect(card(revenue, "Net revenue")).to_have_text(narrowed)
    click(revenue, ready, "by_partner", 0)
    expect(card(revenue, "Net revenue")).to_have_text(before)
    expect(revenue).not_to_have_url(re.compile("only="))  # a second click takes the filter back


def test_the_way_back_takes_a_filter_back(revenue: Page, ready: Any) -> None:
    before = card(revenue, "Net revenue").inner_text()
    click(revenue, ready, "by_partner", 1)
    expect(card(revenue, "Net revenue")).not_to_have_text(before)
    revenue.go_back()
    expect(card(revenue, "Net revenue")).to_have_text(before)


def test_an_address_with_filters_opens_as_it_was_left(page: Page, sign_in: Any, ready: Any, served: Any) -> None:
    sign_in(page, "executive", "revenue?only=Partner%3A+birch&period=30D&split=Region")
    filtered = card(page, "Net revenue").inner_text()
    page.goto(f"{served.url}/revenue?period=30D")
    ready(page)
    expect(card(page, "Net revenue")).not_to_have_text(filtered)


def test_the_lines_and_their_file_add_up_to_the_number_exactly(revenue: Page, ready: Any) -> None:
    for _ in ("the whole", "one partner"):
        count, total = told(revenue)
        assert total == exactly(revenue, "Net revenue")
        with revenue.expect_download() as waiting:
            revenue.get_by_role("button", name="All as CSV").click()
        lines = rows(waiting.value)
        assert len(lines) == count
        assert sum(Decimal(line["amount"]) for line in lines) == total
        click(revenue, ready, "by_partner", 0)


def test_a_clicked_week_shows_its_own_lines(revenue: Page, ready: Any) -> None:
    whole = told(revenue)
    click(revenue, ready, "trend_chart", 5)
    week = told(revenue)
    assert week[0] < whole[0]
    click(revenue, ready, "trend_chart", 5)
    assert told(revenue) == whole


def test_a_partner_reads_and_takes_away_own_lines_only(page: Page, sign_in: Any, ready: Any, served: Any) -> None:
    sign_in(page, "partner", "earnings?only=Partner%3A+birch")
    expect(page.locator(".st-key-lines")).to_contain_text("No sales in this period and filter.")
    page.goto(f"{served.url}/earnings")
    ready(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="All as CSV").click()
    lines = rows(waiting.value)
    assert {line["product"] for line in lines} == {"Compass"}, "what is sold through Acme"
    assert all(re.fullmatch(r"customer \d+", line["customer"]) for line in lines), "customers are masked"
    page.goto(f"{served.url}/people")
    ready(page)
    expect(page.get_by_role("heading", name="People")).to_have_count(0)
    expect(page.get_by_text("house.example")).to_have_count(0)


def test_a_sale_of_this_moment_is_on_the_page_at_the_next_look_and_its_words_are_no_markup(
    revenue: Page, ready: Any, served: Any
) -> None:
    """The feed follows while people read; a name is a name, on charts, in lists and in the address."""
    asked: list[str] = []
    revenue.on("request", lambda request: asked.append(request.url))
    revenue.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    count, total = told(revenue)
    at = datetime.now(UTC) - timedelta(minutes=1)
    sale = {"order_id": "H-1", "at": at.isoformat(), "amount": "987.65", "currency": "USD", "product": HOSTILE}
    with served.engine.begin() as db:
        load_frame(db, SYSTEM, "sales", pl.DataFrame([sale]), source="journey")
    revenue.wait_for_timeout(1500)
    revenue.reload()
    ready(revenue)
    assert told(revenue) == (count + 1, total + Decimal("987.65"))
    labels = revenue.locator(".st-key-by_product .ytick text").all_text_contents()
    assert any(label.startswith("**b** <img src=x") for label in labels), labels
    expect(revenue.locator("img[src='x'], img[src*='evil']")).to_have_count(0)
    click(revenue, ready, "by_product", next(n for n, label in enumerate(labels) if label.startswith("**b**")))
    assert told(revenue) == (1, Decimal("987.65"))
    expect(revenue.locator(".st-key-only")).to_contain_text(HOSTILE)
    revenue.goto(revenue.url)
    ready(revenue)
    assert told(revenue) == (1, Decimal("987.65"))
    assert not [url for url in asked if not url.startswith((served.url, "data:", "blob:"))], "nobody else was asked"
