"""Is the app ready? Over HTTP, as the terminal and a load balancer ask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from api import health
from core import insights
from core.runtime import House
from data import postgres
from data.warehouse import Freshness


def asked(path: str = "/health", method: str = "GET") -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=health.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://millrace.example") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


@pytest.fixture
def no_postgres(house: House) -> Iterator[None]:
    """The process has a house, and its Postgres is gone."""
    kept = house.engine
    gone = postgres.connect("postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1")
    postgres.use(gone)
    yield
    postgres.use(kept)
    gone.dispose()


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_it_is_ready_when_postgres_answers_and_the_warehouse_follows(house: House, path: str) -> None:
    house.warehouse.refresh()
    answer = asked(path)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["reason"]) == ("ok", "")
    assert answer.json()["feed_lag_s"] < 60
    assert answer.headers["cache-control"] == "no-store"


def test_before_the_first_copy_it_is_not(house: House) -> None:
    answer = asked()
    assert (answer.status_code, answer.json()["reason"]) == (503, "the warehouse is being loaded")
    assert answer.json()["feed_lag_s"] is None


def test_a_feed_that_is_behind_is_said_in_seconds(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.warehouse.refresh()
    position = house.warehouse.feed.position
    assert position is not None
    assert position.read_at is not None
    late = Freshness(position.read_at - 3600, False, "")
    monkeypatch.setattr(insights, "freshness", lambda: late)
    answer = asked()
    assert answer.status_code == 503
    assert answer.json()["reason"].startswith("the feed is 36")


@pytest.mark.usefixtures("no_postgres")
def test_without_postgres_it_says_so_and_no_more() -> None:
    answer = asked()
    assert (answer.status_code, answer.json()["reason"]) == (503, "Postgres does not answer")
    assert "nobody" not in answer.text


def test_only_get_is_answered(house: House) -> None:
    assert asked(method="POST").status_code == 405
