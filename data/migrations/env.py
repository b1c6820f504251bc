"""How Alembic reaches the database: always through a connection that data.migrate hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from data.tables import Xid8, metadata


def render_item(kind: str, value: Any, _: AutogenContext) -> str | Literal[False]:
    return "Xid8()" if kind == "type" and isinstance(value, Xid8) else False


def include_name(name: str | None, kind: str, _: object) -> bool:
    """Only our own tables: the job queue's belong to its library."""
    return kind != "table" or (name or "") in metadata.tables


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_item=render_item,
    include_name=include_name,
    compare_server_default=False,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
