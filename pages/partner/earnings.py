"""Earnings: a partner's own sales — what was sold through them, how it goes, and each line of it."""

from __future__ import annotations

import streamlit as st

from pages.parts import cards, filters, lines, notices, revenue, session

CARDS = ("net_revenue", "orders", "active_customers", "refund_rate")

viewer = session.require_screen("earnings").as_partner()
with notices.refusals():
    chosen = filters.bar(viewer, "Earnings")
    cards.row(viewer, chosen, CARDS)
    revenue.unrated(viewer, chosen)
    within = revenue.trend(viewer, chosen, title="Your net sales", split=False)
    left, right = st.columns(2)
    with left:
        revenue.ranking(viewer, chosen, "product")
    with right:
        revenue.ranking(viewer, chosen, "country")
    lines.show(viewer, chosen, within)
