"""What every answer carries, so that a browser runs and frames nothing that is not ours."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api.middleware import SecurityHeaders

SAFE = ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options", "permissions-policy")


async def plain(_: Request) -> Response:
    return PlainTextResponse("well")


async def with_cookies(_: Request) -> Response:
    answer = PlainTextResponse("well")
    answer.set_cookie("session", "x", httponly=True)
    answer.set_cookie("safe", "y", secure=True)
    answer.set_cookie("insecure", "secure")
    return answer


async def with_own(_: Request) -> Response:
    return PlainTextResponse("well", headers={"content-security-policy": "default-src 'none'"})


async def broken(_: Request) -> Response:
    raise RuntimeError("out of order")


def asked(path: str, *, secure: bool = False) -> httpx.Response:
    routes = [Route(path, act) for path, act in (("/", plain), ("/c", with_cookies), ("/o", with_own), ("/b", broken))]
    app = Starlette(routes=routes, middleware=[Middleware(SecurityHeaders, secure=secure)])

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://millrace.example") as client:
            return await client.get(path)

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/", "/c", "/nowhere"])
def test_every_answer_carries_the_headers(path: str) -> None:
    answer = asked(path)
    for name in SAFE:
        assert name in answer.headers
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe-eval" not in answer.headers["content-security-policy"]
    assert "https:" not in answer.headers["content-security-policy"], "nothing is loaded from elsewhere"


def test_a_header_of_the_answer_s_own_stands_alone() -> None:
    found = [value for name, value in asked("/o").headers.multi_items() if name == "content-security-policy"]
    assert found == ["default-src 'none'"]


def test_cookies_are_sent_over_https_only_where_millrace_is_reached_by_it() -> None:
    for cookie in asked("/c", secure=True).headers.get_list("set-cookie"):
        assert [part.strip().lower() for part in cookie.split(";")[1:]].count("secure") == 1
    assert "secure" not in asked("/c").headers.get_list("set-cookie")[0].lower()


def test_https_is_remembered_by_browsers_only_where_it_is_spoken() -> None:
    assert "strict-transport-security" in asked("/", secure=True).headers
    assert "strict-transport-security" not in asked("/").headers


def test_a_websocket_passes_untouched() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["type"], send))

    async def send(_: Any) -> None: ...

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    asyncio.run(SecurityHeaders(app, secure=True)({"type": "websocket"}, receive, send))  # type: ignore[arg-type]
    assert seen == [("websocket", send)]
