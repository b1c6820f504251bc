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
    """Functions first (triggers go along), then tables (indexes go along), then the types that both used."""
    rows = op.get_bind().exec_driver_sql(
        """
        select 1 as step, 'function' as kind, oid::regprocedure::text as name
        from pg_proc
        where starts_with(proname, 'procrastinate_') and pronamespace = current_schema()::regnamespace
        union all
        select 2, 'table', oid::regclass::text
        from pg_class
        where starts_with(relname, 'procrastinate_') and relnamespace = current_schema()::regnamespace and relkind = 'r'
        union all
        select 3, 'type', t.oid::regtype::text
        from pg_type t
        left join pg_class c on c.oid = t.typrelid
        where starts_with(typname, 'procrastinate_') and typnamespace = current_schema()::regnamespace
            and (typtype = 'e' or c.relkind = 'c')
        order by 1, 3
        """
    )
    return [(row.kind, row.name) for row in rows]
