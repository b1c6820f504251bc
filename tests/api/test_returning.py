"""Back to where one was before signing in, and never anywhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import quote

import pytest
from httpx import ASGITransport, AsyncClient, Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from api.returning import COOKIE, ReturnThere

HERE = "https://revenue.example.com"

Get = Callable[..., Response]


@pytest.fixture
def get() -> Get:
    """Streamlit's two addresses: both redirect, the second one home."""

    async def away(_: Request) -> RedirectResponse:
        return RedirectResponse(f"{HERE}/idp/authorize", 302)

    async def home(_: Request) -> RedirectResponse:
        return RedirectResponse("/", 302)

    routes = [Route("/auth/login", away), Route("/oauth2callback", home), Route("/", home)]
    app = Starlette(routes=routes, middleware=[Middleware(ReturnThere, public_url=HERE)])

    def ask(path: str, **headers: str) -> Response:
        async def answer() -> Response:
            async with AsyncClient(transport=ASGITransport(app), base_url=HERE) as client:
                return await client.get(path, headers=headers)

        return asyncio.run(answer())

    return ask


def test_the_address_before_the_sign_in_is_where_it_ends(get: Get) -> None:
    there = "/revenue?period=12m&partner=acme%20ltd"
    begun = get("/auth/login?provider=x", referer=f"{HERE}{there}")
    cookie = begun.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Secure", "Max-Age=600"} <= set(cookie.split("; "))
    ended = get("/oauth2callback?code=c&state=s", cookie=cookie.partition(";")[0])
    assert ended.headers["location"] == there
    assert f"{COOKIE}=; " in ended.headers["set-cookie"]


def test_signing_out_ends_at_home(get: Get) -> None:
    assert get("/oauth2callback", cookie=f"{COOKIE}=%2Frevenue").headers["location"] == "/"


@pytest.mark.parametrize(
    "there",
    [
        "https://evil.example.net/revenue",
        "//evil.example.net/",
        "https:evil.example.net",
        "/\\evil.example.net",
        "///evil.example.net",
        "javascript:alert(1)",
        "/auth/logout",
        "/oauth2callback?code=1",
        "/idp/end_session",
        "/" + "a" * 2000,
        "http://[::1",
        "",
    ],
)
def test_no_cookie_leads_anywhere_else(get: Get, there: str) -> None:
    ended = get("/oauth2callback?code=c", cookie=f"{COOKIE}={quote(there, safe='')}")
    assert ended.headers["location"] == "/"
    begun = get("/auth/login", referer=there)
    assert f"{COOKIE}=; " in begun.headers["set-cookie"]


def test_line_breaks_in_a_cookie_add_no_header(get: Get) -> None:
    ended = get("/oauth2callback?code=c", cookie=f"{COOKIE}=%2Fa%0D%0Ax-evil%3A%201")
    assert "x-evil" not in ended.headers
    assert "\n" not in ended.headers["location"]


def test_other_answers_are_left_alone(get: Get) -> None:
    assert "set-cookie" not in get("/", referer=f"{HERE}/revenue").headers
