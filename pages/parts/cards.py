"""KPI cards: the value, the change against the comparable period, a sparkline, the goal, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from core import compare, insights
from core.compare import Kpi
from core.insights import Metric
from core.viewer import Viewer
from pages.parts import format as fmt
from pages.parts.filters import Chosen

FLAT = 0.0005

Colour = Literal["normal", "inverse", "off"]
GOOD: dict[str, Colour] = {"up": "normal", "down": "inverse"}


def row(viewer: Viewer, chosen: Chosen, names: Sequence[str], goals: dict[str, str] | None = None) -> None:
    """A card for each metric: four in a row, two on a phone."""
    with st.grid(4, gap="small", min_column_width=158, key="kpis"):
        for name in names:
            try:
                found = compare.kpi(viewer, chosen.question(name), chosen.currency)
            except insights.CannotAnswer:
                unanswered(insights.one(viewer, name), chosen)
            else:
                card(found, chosen.currency, (goals or {}).get(name, ""))


def explained(found: Kpi, currency: str) -> str:
    """What the metric means, and both values with all their digits."""
    unit = found.metric.unit
    exact, before = (fmt.plain(fmt.value(v, unit, currency, short=False)) for v in (found.value, found.before))
    return f"{found.metric.definition}  \nExactly: {exact}  \nBefore: {before}"


def unanswered(metric: Metric, chosen: Chosen) -> None:
    """A metric that the filters cannot narrow says so; the other cards stand."""
    unknown = [fmt.label(name).lower() for name in chosen.where if name not in metric.dimensions]
    st.metric(
        f":gray[{metric.title}]",
        fmt.NONE,
        delta=None,
        delta_description=f"not known by {' or '.join(unknown)}" if unknown else "not known by these filters",
        help=metric.definition,
        border=True,
        height="stretch",
    )


def card(found: Kpi, currency: str, goal: str = "") -> None:
    metric = found.metric
    delta, colour = delta_of(found)
    st.metric(
        f":gray[{metric.title}]",
        fmt.value(found.value, metric.unit, currency),
        delta,
        delta_color=colour,
        delta_description=goal or ("vs. before" if delta is not None else without_change(found)),
        help=explained(found, currency) + (f"  \nGoal: {fmt.plain(goal)}" if goal else ""),
        chart_data=list(found.spark) if any(found.spark) else None,
        chart_type="area",
        border=True,
        height="stretch",
    )


def without_change(found: Kpi) -> str:
    if found.value is None:
        return "nothing in this period"
    return "no earlier period" if found.before is None else "none before"


def delta_of(found: Kpi) -> tuple[str | int | None, Colour]:
    """The change as text, and whether its direction is good news, bad news or neither."""
    if found.change is None:
        return None, "off"
    if abs(found.change) < FLAT:
        return 0, "off"
    colour: Colour = GOOD.get(found.metric.good, "off")
    if found.metric.unit == "ratio":
        return f"{found.change * 100:+.1f} pts", colour
    return f"{found.change * 100:+.1f}%" if abs(found.change) < 9.995 else f"×{found.change + 1:.0f}", colour
