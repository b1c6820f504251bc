"""Revenue: the trend beside the comparable period, what it is made of, and the lines that add up to it."""

from __future__ import annotations

import streamlit as st

from pages.parts import annotate, cards, filters, lines, notices, revenue, session

CARDS = ("net_revenue", "gross_revenue", "refunds", "orders")
MORE = ("product", "category", "region", "country", "channel", "source", "partner_type")

viewer = session.require_screen("revenue")
with notices.refusals():
    chosen = filters.bar(viewer, "Revenue")
    cards.row(viewer, chosen, CARDS)
    revenue.unrated(viewer, chosen)
    within = revenue.trend(viewer, chosen)
    annotate.button(viewer)
    left, right = st.columns(2)
    with left:
        revenue.ranking(viewer, chosen, "partner", most=10)
    with right:
        revenue.ranking(viewer, chosen, "product", most=10, others=MORE)
    lines.show(viewer, chosen, within)
