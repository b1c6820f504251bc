"""The drill-down: the sale lines beneath a number, and the sum that proves it."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import streamlit as st

from core import compare, customers, insights
from core.periods import Period
from core.runtime import transaction
from core.viewer import Viewer
from pages.parts import format as fmt
from pages.parts import notices, tables
from pages.parts.filters import Chosen

LINES_SHOWN_MAX = 500


def show(viewer: Viewer, chosen: Chosen, within: Period | None) -> None:
    """The sale lines that add up to the number, of the clicked bucket or of the whole period."""
    period = within or chosen.period
    question = chosen.question("sale_lines").over(period)
    total = compare.kpi(viewer, chosen.question("net_revenue").over(period), chosen.currency, spark=False).value
    counted = insights.ask(viewer, chosen.question("sale_line_count").over(period)).total(chosen.currency) or 0
    question = replace(question, only_currency=chosen.currency)
    rows = insights.ask(viewer, replace(question, limit=LINES_SHOWN_MAX)).rows
    body, controls = tables.card("Sale lines", fmt.days(period.since, period.last_day), key="lines")
    with controls:
        tables.csv_button(lambda: all_lines(viewer, question), "sale_lines", key="lines_csv", label="All as CSV")
    with body:
        if not rows.height:
            notices.nothing_sold(viewer)
            return
        st.caption(
            added_up(rows.height, int(counted), fmt.money(total, chosen.currency))  # type: ignore[arg-type]
            + ("" if within is None else " · click the bar again to see all")
        )
        st.dataframe(
            readable(with_customers(viewer, tables.amounts(rows, "amount_minor"))),
            hide_index=True,
            height=360,
            key="lines_table",
            alt="Sale lines, newest first",
            column_config={
                "order_id": "Order",
                "line_no": "Line",
                "customer_id": "Customer",
                "kind": "Kind",
                "amount_minor": st.column_config.TextColumn("Amount", alignment="right"),
                "currency": "Currency",
                "product": "Product",
                "category": "Category",
                "region": "Region",
                "country": "Country",
                "channel": "Channel",
                "attribution": "Attributed by",
                "at": st.column_config.DatetimeColumn("Time (UTC)", format="YYYY-MM-DD HH:mm"),
                "business_day": st.column_config.DateColumn("Business day"),
            },
        )


SHOWN = (
    *("business_day", "order_id", "line_no", "customer_id", "kind", "amount_minor", "currency", "product", "category"),
    *("country", "region", "channel", "attribution", "at"),
)
"""What matters first: a narrow screen shows the left of the table."""


def readable(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns for readers, in their order; words instead of codes of ours, and nothing where nothing is known."""
    words = [pl.col(name).str.replace_all("_", " ") for name in ("kind", "attribution")]
    return rows.with_columns(words).with_columns(pl.col(pl.String).fill_null("")).select(SHOWN)


def added_up(shown: int, counted: int, total: str) -> str:
    """How many lines there are, how many of them stand here, and what all of them add up to."""
    newest = f"The newest {fmt.count(shown)} of " if counted > shown else ""
    all_of_them = f"{fmt.count(counted)} {'line that adds' if counted == 1 else 'lines that add'} up to"
    return f"{newest}{all_of_them} **{fmt.plain(total)}**"


def all_lines(viewer: Viewer, question: insights.Question) -> pl.DataFrame:
    rows = tables.amounts(insights.ask(viewer, question).rows, "amount_minor")
    return with_customers(viewer, rows).rename({"amount_minor": "amount", "customer_id": "customer"})


def with_customers(viewer: Viewer, rows: pl.DataFrame) -> pl.DataFrame:
    """Customers as this viewer may read them."""
    ids = rows["customer_id"].drop_nulls().unique().to_list()
    with transaction() as db:
        called = customers.called(db, viewer, ids)
    return rows.with_columns(pl.col("customer_id").replace_strict(called, default=None, return_dtype=pl.String))
