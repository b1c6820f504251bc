"""An admin brings a file in on screen: what is wrong is named, what is right is stored once, and it shows elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import text

GOOD = (
    "Invoice,When,Country,Units,Each\nF1,2026-03-01 10:00,Freedonia,2,1.255\nCF1,2026-03-02 10:00,Freedonia,-1,1.255\n"
)
BAD = GOOD + "F2,1066-10-14 09:00,Freedonia,1,9.99\n"


def offer(page: Page, name: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(words)
    page.set_input_files(".st-key-import_upload input[type=file]", file)


def box(page: Page, field: str, words: str) -> None:
    """Choose a column, or type one value for all rows."""
    found = page.get_by_role("combobox", name=field).first
    found.click()
    found.fill(words)
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)


def answer(page: Page) -> None:
    page.locator("[class*=_kinds] input").first.fill("C*=refund")
    page.keyboard.press("Enter")
    for field, words in (("Currency", "GBP"), ("Partner", "Country"), ("Quantity", "Units"), ("Price", "Each")):
        box(page, field, words)
    box(page, "Order id", "Invoice")
    box(page, "At *", "When")
    enrol = page.get_by_text("Enrol partners that are not known yet")
    if not page.get_by_role("checkbox", name="Enrol partners that are not known yet, as pending").is_checked():
        enrol.click()


def test_a_bad_row_is_named_and_a_good_file_is_taken_in_once(
    page: Page, served: object, sign_in: Callable[..., None], ready: Callable[[Page], None], tmp_path: Path
) -> None:
    sign_in(page, "admin")
    page.goto(f"{served.url}/import")  # type: ignore[attr-defined]
    ready(page)
    page.locator(".st-key-import_source input").fill("freedonia")
    page.keyboard.press("Enter")
    offer(page, "bad.csv", BAD, tmp_path)
    answer(page)
    expect(page.locator(".st-key-import_look")).to_contain_text("1066")
    page.locator(".st-key-import_go button").click()
    expect(page.get_by_text("nothing was written").first).to_be_visible()
    assert lines(served) == []

    page.goto(f"{served.url}/import")  # type: ignore[attr-defined]
    ready(page)
    page.locator(".st-key-import_source input").fill("freedonia")
    page.keyboard.press("Enter")
    offer(page, "good.csv", GOOD, tmp_path)
    answer(page)
    page.locator(".st-key-import_go button").click()
    expect(page.get_by_text("2 rows read: 2 written.").first).to_be_visible()
    # 2 × 1.255 = 2.51 and −1.255 rounds half away from zero to −1.26, each line once
    assert lines(served) == [("CF1", "refund", -126), ("F1", "sale", 251)]
    page.locator(".st-key-import_go button").click()
    expect(page.get_by_text("2 were there before").first).to_be_visible()
    assert len(lines(served)) == 2

    page.goto(f"{served.url}/partners?search=Freedonia")  # type: ignore[attr-defined]
    ready(page)
    page.get_by_placeholder("Name, code, e-mail, referral code").fill("freedonia")
    page.keyboard.press("Enter")
    ready(page)
    with served.engine.connect() as db:  # type: ignore[attr-defined]
        status = db.execute(text("select status from partner where code = 'freedonia'")).scalar_one()
    assert status == "pending"


def lines(served: object) -> list[tuple[str, str, int]]:
    query = text("select order_id, kind, amount_minor from sale where source = 'freedonia' order by order_id")
    with served.engine.connect() as db:  # type: ignore[attr-defined]
        return [tuple(row) for row in db.execute(query)]
