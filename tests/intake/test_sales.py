"""Sales in: amounts, kinds, refunds and partners of the rows of a file."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, text

from core.intake.load import load_frame
from core.intake.options import Options
from core.viewer import Viewer


def test_a_frame_of_sales_is_written_once(db: Connection, admin: Viewer) -> None:
    frame = pl.DataFrame(
        {
            "order_id": ["1", "2"],
            "at": ["2026-03-01 10:00:00", "2026-03-02T10:00:00+02:00"],
            "amount": ["10.50", "3"],
            "currency": ["USD", "jpy"],
            "customer": ["c1", "c1"],
            "partner": ["Acme", None],
        }
    )
    report = load_frame(db, admin, "sales", frame, source="shop", options=Options(create_partners=True))
    assert (report.rows_read, report.rows_written, report.partners_created, report.customers_created) == (2, 2, 1, 1)
    rows = db.execute(text("select order_id, amount_minor, currency, house_minor, attribution from sale order by id"))
    assert [tuple(r) for r in rows] == [("1", 1050, "USD", 1050, "explicit"), ("2", 3, "JPY", None, "none")]
    again = load_frame(db, admin, "sales", frame, source="shop")
    assert (again.rows_written, again.rows_repeated, again.rows_contradicting) == (0, 2, 0)
