"""Who bought: names and addresses for those who may see them, a number for everybody else."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from core.viewer import Viewer
from data.store import customers as store


def called(db: Connection, viewer: Viewer, ids: Collection[int]) -> dict[int, str]:
    """What each customer is called: to admins by name, address or the source's id, to others by our number."""
    if not viewer.sees_customers:
        return {number: masked(number) for number in ids}
    return {row["id"]: spoken(row) for row in store.named(db, ids)}


def masked(number: int) -> str:
    return f"customer {number}"


def spoken(row: Mapping[str, str | None]) -> str:
    return row["name"] or row["email"] or row["source_id"] or ""
