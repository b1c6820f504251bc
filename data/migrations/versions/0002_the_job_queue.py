"""The job queue: the tables of procrastinate, as the locked version of that library makes them.

The library keeps its schema in its package, so this migration applies what is installed, and only what it was written
for: a newer schema needs a migration of its own, from the library's list of changes
(docs/decisions/0008-jobs-stand-on-postgres.md).
"""

import hashlib
from collections.abc import Sequence

from alembic import op
from procrastinate.schema import SchemaManager

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SCHEMA = "c70ec4b400a60ad9592787653aae5ae77ae41bf801d56b5bd2712751a07f2009"  # SHA-256 of procrastinate 3.10's


def upgrade() -> None:
    schema = SchemaManager.get_schema()
    if hashlib.sha256(schema.encode()).hexdigest() != SCHEMA:
        raise RuntimeError("procrastinate's tables changed with its version; write the migration to them first.")
    op.get_bind().connection.driver_connection.execute(schema)  # type: ignore[union-attr]


def downgrade() -> None:
    for kind, name in _ours():
        op.execute(f"drop {kind} {name} cascade")


def _ours() -> list[tuple[str, str]]:
    """Tables first (their triggers and indexes go along), then functions, then types."""
    rows = op.get_bind().exec_driver_sql(
        """
        select 1 as step, 'table' as kind, oid::regclass::text as name
        from pg_class
        where relkind = 'r' and starts_with(relname, 'procrastinate_') and relnamespace = current_schema()::regnamespace
        union all
        select 2, 'function', oid::regprocedure::text
        from pg_proc
        where starts_with(proname, 'procrastinate_') and pronamespace = current_schema()::regnamespace
        union all
        select 3, 'type', oid::regtype::text
        from pg_type
        where starts_with(typname, 'procrastinate_') and typtype in ('e', 'c') and typrelid not in (
            select oid from pg_class where relkind = 'r'
        ) and typnamespace = current_schema()::regnamespace
        order by 1, 3
        """
    )
    return [(row.kind, row.name) for row in rows]
