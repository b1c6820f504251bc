"""Customers are named to admins and numbered to everybody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert

from core import customers
from core.viewer import Viewer
from data.tables import customer


def bought(db: Connection, **values: Any) -> int:
    row = {"source": "shop", **values}
    return int(db.execute(insert(customer).values(row).returning(customer.c.id)).scalar_one())


def test_an_admin_reads_names_then_addresses_then_the_sources_id(db: Connection, admin: Viewer) -> None:
    full = bought(db, source_id="1", name="Quinn Moreau", email="quinn@example.com")
    bare = bought(db, source_id="2", email="mo@example.com")
    none = bought(db, source_id="3")
    told = customers.called(db, admin, [full, bare, none])
    assert told == {full: "Quinn Moreau", bare: "mo@example.com", none: "3"}


def test_everybody_else_reads_a_number(db: Connection, admin: Viewer) -> None:
    number = bought(db, source_id="1", name="Quinn Moreau")
    for role in ("partner", "analyst", "executive"):
        other = replace(admin, roles=frozenset({role}))
        assert customers.called(db, other, [number]) == {number: f"customer {number}"}
