"""What the tests of intake share: files of facts, and partners whom they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from core.intake.load import import_file
from core.intake.options import Options
from core.intake.report import Report
from core.viewer import Viewer

Take = Callable[..., Report]


@pytest.fixture
def take(db: Connection, admin: Viewer, tmp_path: Path) -> Take:
    """`take("sales", content)`: imports a CSV file of this content from the source shop."""

    def imported(kind: str, content: str, *, source: str = "shop", keep_refused: bool = False, **chosen: Any) -> Report:
        path = tmp_path / f"{kind}.csv"
        path.write_text(content, encoding="utf-8")
        refused_to = tmp_path / "refused.csv" if keep_refused else None
        return import_file(db, admin, kind, path, source=source, options=Options(**chosen), refused_to=refused_to)

    return imported


@pytest.fixture
def rows(db: Connection) -> Callable[[str], list[tuple[Any, ...]]]:
    """`rows("select …")`: what stands in the record."""
    return lambda query: [tuple(row) for row in db.execute(text(query))]


@pytest.fixture
def csv_of() -> Callable[..., str]:
    """`csv_of(rows)`: rows of plain words as a CSV text."""

    def written(records: Sequence[Mapping[str, object]], columns: Sequence[str] | None = None) -> str:
        header = list(columns or records[0])
        lines = [",".join(str(record[name]) for name in header) for record in records]
        return "\n".join([",".join(header), *lines]) + "\n"

    return written


@pytest.fixture
def acme(db: Connection) -> int:
    """A partner in a program of New York whose clicks count for seven days; its code and its coupon."""
    statement = """
        with terms as (
            insert into program (code, name, currency, timezone)
            values ('us', 'United States', 'USD', 'America/New_York') returning id
        ), dated as (
            insert into program_terms (program_id, since, attribution_days) select id, '1970-01-01', 7 from terms
        ), who as (
            insert into partner (code, name, type, status, program_id)
            select 'acme', 'Acme', 'affiliate', 'active', id from terms returning id
        ), code as (
            insert into referral_code (code, partner_id) select unnest(array['acme10', 'acme-coupon']), id from who
        )
        select id from who"""
    return int(db.execute(text(statement)).scalar_one())
