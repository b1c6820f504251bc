"""Revenue: the trend beside the comparable period, what it is made of, and the lines that add up to it."""

from __future__ import annotations

import streamlit as st

from pages.parts import annotate, cards, filters, notices, revenue, session

CARDS = ("net_revenue", "gross_revenue", "refunds", "orders")
MORE = {"Product": "product", "Region": "region", "Country": "country", "Channel": "channel", "Source": "source"}

viewer = session.require_screen("revenue")
with notices.refusals():
    chosen = filters.bar(viewer, "Revenue")
    cards.row(viewer, chosen, CARDS)
    revenue.unrated(viewer, chosen)
    within = revenue.trend(viewer, chosen)
    annotate.button(viewer)
    left, right = st.columns(2)
    with left:
        revenue.ranking(viewer, chosen, "partner", title="By partner", most=10)
    with right:
        by = st.segmented_control(
            "Break down by", list(MORE), default="Product", required=True, key="breakdown", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
        revenue.ranking(viewer, chosen, MORE[str(by)], most=9)
    revenue.lines(viewer, chosen, within)
