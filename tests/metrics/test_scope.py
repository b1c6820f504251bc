"""A partner sees its own rows, in every metric, by every dimension: as if the database held nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data import metrics, postgres
from data.metrics import Request
from data.relations import FAMILIES, MARTS, RELATIONS
from data.warehouse import Scope, Warehouse

CATALOGUE = metrics.catalogue()
COMPARED: dict[str, Any] = {
    "since": date(2026, 1, 10),
    "until": date(2026, 2, 20),
    "before": (date(2025, 12, 20), date(2026, 1, 10)),
}
OWNED = ("sale", "spend", "event", "usage", "subscription_change")


def questions() -> list[Request]:
    """The whole catalogue, by every dimension, filtered and compared."""
    asked = []
    for name, metric in CATALOGUE.items():
        period = COMPARED if metric.compares else {}
        for by in [(), *((dimension,) for dimension in metric.dimensions), ("month", "partner")]:
            if set(by) <= set(metric.dimensions):
                asked.append(Request(name, by=by, **period))
        if "region" in metric.dimensions:
            asked.append(Request(name, where={"region": ("eu",)}, **period))
    return asked


@pytest.fixture
def afresh(database: Any, tmp_path: Path) -> Any:
    """A warehouse that knows the database as it is now, and never knew it otherwise."""
    opened: list[Warehouse] = []

    def open_afresh() -> Warehouse:
        url = postgres.libpq_url(database.url)
        opened.append(Warehouse.open(tmp_path / "afresh", url, house_currency="USD", memory="1GB"))
        opened[-1].refresh()
        return opened[-1]

    yield open_afresh
    for warehouse in opened:
        warehouse.close()


@pytest.mark.parametrize("codes", [("p1",), ("p1", "p3")], ids="-".join)
def test_in_scope_every_answer_is_that_of_a_database_with_no_other_rows(
    given: Any, many: Any, warehouse: Warehouse, afresh: Callable[[], Warehouse], codes: tuple[str, ...]
) -> None:
    many(7)
    warehouse.refresh()
    ids = [row[0] for row in given.db.execute("select id from partner where code = any(%s)", [list(codes)])]
    scoped = [warehouse.ask(request, Scope(frozenset(ids))) for request in questions()]
    whole = [warehouse.ask(request, Scope(None)) for request in questions()]
    for table in OWNED:
        given.db.execute(f"delete from {table} where partner_id is null or not partner_id = any(%s)", [ids])
    given.db.execute("delete from goal")
    given.db.execute("delete from annotation")
    alone = afresh()
    differ = 0
    for request, seen, everything in zip(questions(), scoped, whole, strict=True):
        expected = alone.ask(request, Scope(None))
        assert sorted(map(str, seen.rows())) == sorted(map(str, expected.rows())), request
        differ += seen.rows() != everything.rows()
    assert differ > len(scoped) * 0.8  # the others' rows would have shown


def test_a_viewer_without_partners_sees_nothing(many: Any, warehouse: Warehouse) -> None:
    many(8)
    warehouse.refresh()
    for request in questions():
        rows = warehouse.ask(request, Scope(frozenset())).rows()
        assert all(value in (None, 0) for row in rows for value in row), request


def test_rows_of_the_staff_are_closed_to_partners(many: Any, warehouse: Warehouse) -> None:
    many(9)
    warehouse.refresh()
    for relation in RELATIONS:
        seen = warehouse.run(f"select count(*) as n from {relation.name}", {}, Scope(frozenset({10**9})))["n"][0]
        if relation.owner != "anybody":
            assert seen == 0, relation


def test_every_relation_of_a_family_is_narrowed() -> None:
    """A relation that a question may stand on is one that `narrow` gives a view of."""
    known = {relation.name for relation in RELATIONS} | {mart.name for mart in MARTS}
    assert {cells.relation for family in FAMILIES.values() for cells in family} <= known


def test_one_scope_never_meets_the_answers_of_another(given: Any, warehouse: Warehouse) -> None:
    """Answers are remembered, and connections kept, for their own scope only."""
    given.sale("2026-01-01", 100, partner="p1")
    given.sale("2026-01-01", 7, partner="p2")
    warehouse.refresh()
    ids = dict(given.db.execute("select code, id from partner").fetchall())
    request = Request("net_revenue")
    for _ in range(3):
        for scope, net in (
            (Scope(None), 107),
            (Scope(frozenset({ids["p1"]})), 100),
            (Scope(frozenset({ids["p2"]})), 7),
        ):
            assert warehouse.ask(request, scope)["net_revenue"].to_list() == [net]
