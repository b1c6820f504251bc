"""Goals on cards: how far the month that the period ends in has come."""

from __future__ import annotations

from core import insights
from core.growth import goals
from core.insights import Metric
from core.periods import Period, bucket
from core.runtime import transaction
from core.viewer import Viewer
from pages.parts import format as fmt
from pages.parts.filters import Chosen

BASIS_POINTS = 10_000


def spoken(viewer: Viewer, chosen: Chosen) -> dict[str, str]:
    """Metric → how much of its goal the month has reached, in words; none while filters narrow the numbers."""
    if chosen.where:
        return {}
    month = bucket("month", chosen.period.last_day)
    with transaction() as db:
        found = goals.within(db, viewer, Period(month.since, month.until))
    metrics = {metric.name: metric for metric in insights.metrics(viewer)}
    said = {}
    for goal in found:
        metric = metrics.get(goal["metric"])
        if metric is not None and goal["currency"] in (None, chosen.currency):
            said[metric.name] = one(viewer, metric, goal["target"], month, chosen)
    return said


def one(viewer: Viewer, metric: Metric, target: int, month: Period, chosen: Chosen) -> str:
    name = fmt.bucket("month", month.since).split(" ")[0]
    if metric.unit == "ratio":
        return f"goal {fmt.percent(target / BASIS_POINTS)}"
    spoken = fmt.value(target, metric.unit, chosen.currency)
    if not target:
        return f"{name} goal {spoken}"
    value = insights.ask(viewer, chosen.question(metric.name).over(month)).total(chosen.currency)
    return f"{fmt.percent((value or 0) / target, 0)} of {name}’s {spoken}"
