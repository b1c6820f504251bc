"""Is the app ready? For the terminal, the load balancer and whoever is on call."""

from __future__ import annotations

from anyio import to_thread
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from core import insights
from core.runtime import transaction

LAG_S_MAX = 60.0


def routes() -> list[BaseRoute]:
    return [Route("/health", health, methods=["GET"]), Route("/ready", health, methods=["GET"])]


async def health(_: Request) -> JSONResponse:
    """200 when Postgres answers and the warehouse follows it, else 503 with the reason."""
    problem = await to_thread.run_sync(what_is_wrong)
    fresh = insights.freshness()
    body = {"status": "ok" if not problem else "not ready", "reason": problem, "feed_lag_s": fresh.lag_s}
    return JSONResponse(body, 200 if not problem else 503, headers={"cache-control": "no-store"})


def what_is_wrong() -> str:
    try:
        with transaction() as db:
            db.execute(text("select 1"))
    except Exception:  # any fault of the database means the same here
        return "Postgres does not answer"
    fresh = insights.freshness()
    if fresh.lag_s is None:
        return "the warehouse is being loaded"
    return f"the feed is {fresh.lag_s:.0f} s behind" if fresh.lag_s > LAG_S_MAX else ""
