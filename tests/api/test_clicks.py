"""The link of a partner, followed over HTTP."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from api import clicks
from core import settings
from core.partners import codes, registry
from core.viewer import Viewer
from data.postgres import transaction

SHOP = "https://shop.example.com/offer"
FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"}


@dataclass
class Browser:
    """Speaks to the routes as a browser would, and keeps their cookies; it follows no redirect."""

    client: httpx.AsyncClient

    def request(self, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return asyncio.run(self.client.request(method, path, headers=headers))

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The settings that the route reads."""
    open_house = SimpleNamespace(settings=settings.read({}))
    monkeypatch.setattr(clicks, "house", lambda: open_house)
    return open_house


@pytest.fixture
def browser(database: Any, house: SimpleNamespace, admin: Viewer) -> Browser:
    """A browser before the link `acme`."""
    with transaction() as db:
        partner = registry.enrol(db, admin, {"code": "acme", "name": "Acme", "type": "affiliate"})
        codes.issue(db, admin, partner.id, code="acme", landing_url=SHOP)
    transport = httpx.ASGITransport(Starlette(routes=clicks.routes()))
    return Browser(httpx.AsyncClient(transport=transport, base_url="https://millrace.example", headers=FIREFOX))


def stored() -> list[Any]:
    with transaction() as db:
        return list(db.execute(text("select * from click order by id")))


def test_following_a_link_leads_to_the_shop_and_is_kept(browser: Browser) -> None:
    answer = browser.get("/r/ACME")
    assert answer.status_code == 302
    found = re.fullmatch(
        r"https://shop\.example\.com/offer\?mr_visitor=([0-9a-f]{32})&ref=acme", answer.headers["location"]
    )
    assert found
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"].lower()
    assert f"mr_visitor={found[1]}" in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=34560000" in cookie
    assert [(row.visitor, row.source, row.agent) for row in stored()] == [(found[1], "link", FIREFOX["user-agent"])]


def test_a_visitor_who_comes_back_is_the_same_visitor_and_a_double_click_counts_once(browser: Browser) -> None:
    first = browser.get("/r/acme").headers["location"]
    assert browser.get("/r/acme").headers["location"] == first
    assert len(stored()) == 1


@pytest.mark.parametrize(("url", "is_secure"), [("http://127.0.0.1:8501", False), ("https://millrace.example", True)])
def test_the_cookie_is_secure_where_millrace_is_reached_by_https(
    browser: Browser, house: SimpleNamespace, url: str, is_secure: bool
) -> None:
    house.settings = replace(house.settings, public_url=url)
    assert ("secure" in browser.get("/r/acme").headers["set-cookie"].lower()) is is_secure


@pytest.mark.parametrize(
    "headers",
    [
        {"purpose": "prefetch"},
        {"sec-purpose": "prefetch;prerender"},
        {"x-purpose": "preview"},
        {"x-moz": "Prefetch"},
        {"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"},
        {"user-agent": ""},
    ],
)
def test_what_no_person_followed_leads_on_and_is_not_kept(browser: Browser, headers: dict[str, str]) -> None:
    answer = browser.get("/r/acme", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{SHOP}?ref=acme")
    assert "set-cookie" not in answer.headers
    assert stored() == []


def test_head_leads_on_and_is_not_kept(browser: Browser) -> None:
    answer = browser.request("HEAD", "/r/acme")
    assert (answer.status_code, answer.headers["location"], answer.text) == (302, f"{SHOP}?ref=acme", "")
    assert stored() == []


@pytest.mark.parametrize(
    "code", ["unknown", "x", "%00", "..%2F..", "a" * 3000, "%F0%9F%92%A9", "<script>alert(1)</script>"]
)
def test_a_link_that_leads_nowhere_says_so_on_a_page(browser: Browser, code: str) -> None:
    answer = browser.get(f"/r/{code}")
    assert answer.status_code == 404
    assert "<script>" not in answer.text
    assert "location" not in answer.headers
    assert stored() == []


def test_a_retired_link_says_so_and_keeps_nothing(browser: Browser, admin: Viewer) -> None:
    with transaction() as db:
        codes.retire(db, admin, "acme")
    answer = browser.get("/r/acme")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert "This code has been retired." in answer.text
    assert "set-cookie" not in answer.headers
    assert stored() == []


def test_the_request_never_chooses_where_a_link_leads(browser: Browser) -> None:
    for query in (
        "?url=https://evil.example",
        "?landing_url=https://evil.example",
        "?ref=evil",
        "?next=//evil.example",
    ):
        assert "evil" not in browser.get(f"/r/acme{query}").headers["location"]
    assert "evil" not in browser.get("/r/acme", headers={"host": "evil.example"}).headers["location"]


def test_no_network_address_is_kept(browser: Browser) -> None:
    browser.get("/r/acme", headers={"x-forwarded-for": "203.0.113.7"})
    assert not any("203.0.113.7" in str(value) or "127.0.0.1" in str(value) for value in stored()[0])


def test_a_browser_that_boasts_is_cut_short(browser: Browser) -> None:
    browser.get("/r/acme", headers={"user-agent": "Mozilla " * 500})
    assert len(stored()[0].agent) == 200


def test_a_link_takes_no_other_method(browser: Browser) -> None:
    assert browser.request("POST", "/r/acme").status_code == 405
    assert stored() == []
