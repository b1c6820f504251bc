"""Customers' personal data, which only the record holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from data.tables import customer


def named(db: Connection, ids: Collection[int]) -> Sequence[Mapping[str, Any]]:
    query = select(customer.c.id, customer.c.source_id, customer.c.name, customer.c.email).where(customer.c.id.in_(ids))
    return [dict(row) for row in db.execute(query).mappings()]
