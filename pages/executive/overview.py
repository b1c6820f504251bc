"""Overview: how the business does, on one page — KPI cards, the trend, who moved and where it comes from."""

from __future__ import annotations

from functools import partial

import polars as pl
import streamlit as st

from core import compare, insights
from core.viewer import Viewer
from pages.parts import cards, filters, goals, notices, revenue, session, tables
from pages.parts import format as fmt
from pages.parts.filters import Chosen

CARDS = (
    "net_revenue",
    "orders",
    "average_order",
    "refund_rate",
    "active_customers",
    "new_customers",
    "partner_driven_share",
    "acquisition_spend",
)
MOVERS = 8


def movers(viewer: Viewer, chosen: Chosen) -> None:
    """The partners whose net revenue changed most against the period before."""
    question = chosen.question("top_movers", "partner_name")
    is_known = compare.comparable(viewer, chosen.period) is not None
    rows = compare.in_currency(insights.ask(viewer, question).rows, chosen.currency).drop_nulls("partner_name")
    body, controls = tables.card("Top movers", "partners, against the period before", key="movers")
    with controls:
        tables.csv_button(lambda: rows, "top_movers", key="movers_csv")
    with body:
        if not rows.height:
            notices.nothing_sold(viewer)
            return
        if not is_known:
            notices.empty("There is no period before to compare with. Choose fewer days above.")
            return
        shown = rows.head(MOVERS).with_columns(
            [
                pl.col(name).map_elements(partial(fmt.compact, currency=chosen.currency), return_dtype=pl.String)
                for name in ("net_revenue", "before", "change")
            ]
        )
        right = partial(st.column_config.TextColumn, alignment="right")
        st.dataframe(
            shown.drop("currency"),
            hide_index=True,
            key="movers_table",
            alt="Partners by change of net revenue",
            column_config={
                "partner_name": "Partner",
                "net_revenue": right("Now"),
                "before": right("Before"),
                "change": right("Change"),
            },
        )


viewer = session.require_screen("overview")
with notices.refusals():
    chosen = filters.bar(viewer, "Overview")
    cards.row(viewer, chosen, CARDS, goals.spoken(viewer, chosen))
    revenue.unrated(viewer, chosen)
    left, right = st.columns([5, 3])
    with left:
        revenue.trend(viewer, chosen, split=False, clicks=False)
    with right:
        movers(viewer, chosen)
    left, middle, right = st.columns(3)
    with left:
        revenue.ranking(viewer, chosen, "region")
    with middle:
        revenue.ranking(viewer, chosen, "channel")
    with right:
        revenue.ranking(viewer, chosen, "category")
