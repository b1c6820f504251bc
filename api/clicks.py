"""Partners' links: `/r/{code}` keeps the click and sends the visitor on to the page that the code's issuer set."""

from __future__ import annotations

from html import escape

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.partners import clicks
from core.periods import now, zone
from core.runtime import house, transaction

COOKIE = "mr_visitor"
COOKIE_S_MAX = 400 * 24 * 3600  # browsers keep no cookie longer (RFC 6265bis)
NEVER_STORED = {"cache-control": "no-store", "x-robots-tag": "noindex, nofollow"}

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>This link leads nowhere</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 Inter, system-ui, sans-serif }}
body {{ display: grid; place-items: center; min-height: 100vh; margin: 0; padding: 1.5rem; box-sizing: border-box }}
main {{ max-width: 32rem; text-align: center }}
h1 {{ font-size: 1.5rem; margin: 0 0 .5rem }}
p {{ margin: 0; opacity: .75 }}
</style></head>
<body><main><h1>This link leads nowhere</h1><p>{sentence}</p></main></body></html>
"""


def routes() -> list[BaseRoute]:
    return [Route("/r/{code}", follow, methods=["GET", "HEAD"])]


async def follow(request: Request) -> Response:
    """302 to the landing page; 404 with a sentence where there is none. Only a person's own GET is kept as a click."""
    code = request.path_params["code"]
    visitor = clicks.visitor_of(request.cookies.get(COOKIE)) if is_a_person(request) else None
    agent = request.headers.get("user-agent", "")
    try:
        url = await to_thread.run_sync(landing_of, code, visitor, agent)
    except clicks.LinkEnded as ended:
        return HTMLResponse(PAGE.format(sentence=escape(ended.sentence)), ended.status, headers=NEVER_STORED)
    answer = RedirectResponse(url, 302, headers=NEVER_STORED)
    if visitor:
        secure = house().settings.public_url.startswith("https://")
        answer.set_cookie(COOKIE, visitor, max_age=COOKIE_S_MAX, httponly=True, samesite="lax", secure=secure)
    return answer


def is_a_person(request: Request) -> bool:
    """A browser that fetches a page ahead says so, and a crawler gives its name; neither has clicked anything."""
    ahead = " ".join(request.headers.get(name, "") for name in ("purpose", "sec-purpose", "x-purpose", "x-moz")).lower()
    is_ahead = any(word in ahead for word in ("prefetch", "prerender", "preview"))
    return request.method == "GET" and not is_ahead and not clicks.is_machine(request.headers.get("user-agent", ""))


def landing_of(code: str, visitor: str | None, agent: str) -> str:
    with transaction() as db:
        house_zone = zone(house().settings.timezone)
        return clicks.follow(db, code, visitor=visitor, agent=agent, at=now(), house_zone=house_zone).url
