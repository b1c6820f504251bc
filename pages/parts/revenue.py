"""What Revenue, Overview and Earnings share: the trend, breakdowns that filter by a click, and the lines beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from core import compare, insights
from core.compare import OTHER, Part, Point
from core.periods import Period, bucket, bucket_for
from core.viewer import Viewer
from pages.parts import charts, filters, notices, tables
from pages.parts import format as fmt
from pages.parts.filters import Chosen

NOTES_SPOKEN_MAX = 4
SPLITS = {"Whole": "", "Region": "region", "Channel": "channel", "Category": "category"}


def trend(
    viewer: Viewer,
    chosen: Chosen,
    *,
    metric: str = "net_revenue",
    title: str = "Net revenue",
    split: bool = True,
    clicks: bool = True,
) -> Period | None:
    """The trend with the comparable period over it; returns the bucket that was clicked, if any."""
    size = bucket_for(chosen.period)
    body, controls = tables.card(title, f"by {size}, {chosen.currency}", key="trend")
    question = chosen.question(metric)
    points = compare.trend(viewer, question, chosen.currency, size, chosen.covered)
    with controls:
        by = (
            st.segmented_control(
                "Split by",
                list(SPLITS),
                default="Whole",
                required=True,
                key="split",
                bind="query-params",
                label_visibility="collapsed",
            )
            if split
            else "Whole"
        )
        tables.csv_button(partial(trend_rows, points, chosen.currency), f"{metric}_by_{size}", key="trend_csv")
    with body:
        if not any(point.value for point in points):
            notices.nothing_sold(viewer)
            return None
        dimension = SPLITS[by or "Whole"]  # an address may name none
        traces = stacked(viewer, chosen, metric, size, dimension, points) if dimension else plain(points, chosen, size)
        selected = charts.show(
            traces,
            key=f"trend_chart_{chosen.period.since:%Y%m%d}_{chosen.period.until:%Y%m%d}",  # a click names a position
            alt=spoken_trend(points, chosen, title),
            legend=True,
            on_select=(lambda: None) if clicks else None,
            barmode="stack",
            yaxis=axis(points, chosen.currency),
            xaxis={"nticks": 9, "type": "category"},
            annotations=notes(viewer, points, size),
            height=320,
        )
        if not all(point.is_whole for point in points):
            st.caption(open_bars(points, size))
        if said := spoken_notes(viewer, points):
            st.caption(said)
    return clicked_bucket(selected, points) if clicks else None


def open_bars(points: list[Point], size: str) -> str:
    """What pale bars are: a part of their week or month is outside the period, not yet over or not in the data."""
    if size == "day":
        is_only_last = all(point.is_whole for point in points[:-1])
        return "The pale bar is not over yet." if is_only_last else "Pale bars are days that data does not cover."
    return f"Pale bars hold only a part of their {size}; the last one ends on {fmt.day(points[-1].last)}."


def plain(points: list[Point], chosen: Chosen, size: str) -> list[dict[str, Any]]:
    names = [fmt.bucket(size, point.first) for point in points]
    texts = [fmt.money(point.value, chosen.currency) for point in points]
    drawn = [
        charts.bars(names, [p.value for p in points], texts, name="This period", faint=[not p.is_whole for p in points])
    ]
    if any(point.before for point in points):
        before = [point.before for point in points]
        texts = [fmt.money(value, chosen.currency) for value in before]
        drawn.append(charts.line(names, before, texts, name="Period before", quiet=True))
    return drawn


def stacked(
    viewer: Viewer, chosen: Chosen, metric: str, size: str, dimension: str, points: list[Point]
) -> list[dict[str, Any]]:
    split = compare.stacked(viewer, chosen.question(metric), chosen.currency, size, dimension)
    names = [fmt.bucket(size, point.first) for point in points]
    starts = [bucket(size, point.first).since for point in points]
    drawn = []
    for number, (name, values) in enumerate(split.items()):
        line = [values.get(start, 0) for start in starts]
        texts = [fmt.money(value, chosen.currency) for value in line]
        faint = [not point.is_whole for point in points]
        drawn.append(charts.bars(names, line, texts, name=fmt.name(dimension, name), colour=number, faint=faint))
    return drawn


def axis(points: list[Point], currency: str) -> dict[str, Any]:
    values = [float(v) for point in points for v in (point.value, point.before or 0)]
    return charts.money_axis(values, lambda value: fmt.tick(int(value), currency))


def spoken_trend(points: list[Point], chosen: Chosen, title: str) -> str:
    best = max(points, key=lambda point: point.value)
    return (
        f"{title} in {chosen.currency}, {len(points)} bars; the highest is {fmt.money(best.value, chosen.currency)}"
        f" from {fmt.day(best.first)}."
    )


def notes(viewer: Viewer, points: list[Point], size: str) -> list[dict[str, Any]]:
    """Annotations of the business, over the bar of their day."""
    drawn = []
    for note in insights.notes(viewer, points[0].first, points[-1].last) if points else []:
        at = next((point for point in points if point.first <= note.day <= point.last), None)
        if at is not None:
            drawn.append(
                {
                    "x": fmt.bucket(size, at.first),
                    "y": 1,
                    "yref": "paper",
                    "text": "▼",
                    "hovertext": f"{fmt.day(note.day)}: {charts.words(note.label)}",
                    "showarrow": False,
                    "yanchor": "bottom",
                    "font": {"size": 10, "color": charts.MUTED},
                }
            )
    return drawn


def spoken_notes(viewer: Viewer, points: list[Point]) -> str:
    """The newest notes in words, for readers whose finger cannot hover."""
    found = insights.notes(viewer, points[0].first, points[-1].last)[-NOTES_SPOKEN_MAX:]
    return " \u2003".join(f"▼ {fmt.day(note.day)}: {fmt.plain(note.label)}" for note in found)


def clicked_bucket(selected: Any, points: list[Point]) -> Period | None:
    chosen = selected["selection"]["points"] if selected else []
    if not chosen:
        return None
    index = chosen[0].get("point_index", chosen[0].get("point_number"))
    if index is None or not 0 <= index < len(points):
        return None
    return Period(points[index].first, date.fromordinal(points[index].last.toordinal() + 1))


def trend_rows(points: list[Point], currency: str) -> pl.DataFrame:
    rows = [
        {
            "first_day": p.first,
            "last_day": p.last,
            "value_minor": p.value,
            "before_minor": p.before,
            "is_whole": p.is_whole,
        }
        for p in points
    ]
    return pl.DataFrame(rows).with_columns(pl.lit(currency).alias("currency"))


def ranking(
    viewer: Viewer,
    chosen: Chosen,
    dimension: str,
    *,
    metric: str = "net_revenue",
    most: int = 8,
    others: Sequence[str] = (),
) -> None:
    """The largest values of a dimension; a click on a bar filters the page by it, a second one takes that back.

    With `others`, the reader chooses which of these dimensions the card is about.
    """
    title = "By" if others else f"By {fmt.label(dimension).lower()}"
    body, controls = tables.card(title, "tick: period before", key=f"by_{dimension}_card")
    if others:
        with controls:
            dimension = chosen_dimension(dimension, others)
    key = f"by_{dimension}"
    question = chosen.without(dimension).question(metric)
    found = compare.breakdown(viewer, question, chosen.currency, dimension, most + 1)
    unnamed = next((part for part in found if not part.key), None) if dimension == "partner" else None
    with controls:
        tables.csv_button(partial(part_rows, found, dimension, chosen.currency), f"{metric}_{key}", key=f"{key}_csv")
    names = insights.partner_names(viewer) if dimension == "partner" else {}
    with body:
        if not any(part.value or part.before for part in found):
            notices.nothing_sold(viewer)
            return
        if unnamed is not None and len(found) > 1:  # its bar would dwarf those of the partners
            found = [part for part in found if part is not unnamed]
            share = f" ({fmt.percent(unnamed.share)})" if unnamed.share is not None else ""
            st.caption(f"{fmt.plain(fmt.money(unnamed.value, chosen.currency))}{share} came without a partner.")
        charts.show(
            drawn_ranking(found, chosen, dimension, names),
            key=key,
            legend=False,
            height=60 + 30 * len(found),
            alt=f"Net revenue by {dimension}: "
            + "; ".join(
                f"{fmt.name(dimension, p.key, names)} {fmt.money(p.value, chosen.currency)}" for p in found[:5]
            ),
            on_select=partial(filter_by, key, dimension),
            xaxis={**value_axis(found, chosen), "showgrid": True, "gridcolor": charts.GRID},
            yaxis=charts.names_axis([fmt.name(dimension, part.key, names) for part in found]),
            bargap=0.35,
        )


def chosen_dimension(first: str, others: Sequence[str]) -> str:
    chosen = st.selectbox(
        "Break down by",
        others,
        key=f"by_{first}_what",
        bind="query-params",
        format_func=fmt.label,
        label_visibility="collapsed",
        width=150,
    )
    return str(chosen or others[0])


def drawn_ranking(found: list[Part], chosen: Chosen, dimension: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return charts.ranking(
        names=[fmt.name(dimension, part.key, names) for part in found],
        values=[part.value for part in found],
        texts=[f"{fmt.money(part.value, chosen.currency)} · {fmt.percent(part.share)}" for part in found],
        before=[part.before for part in found],
        keys=[part.key for part in found],
        chosen=chosen.where.get(dimension, ()),
    )


def value_axis(found: list[Part], chosen: Chosen) -> dict[str, Any]:
    values = [float(v) for part in found for v in (part.value, part.before or 0)]
    return charts.money_axis(values, lambda value: fmt.tick(int(value), chosen.currency), ticks=3)


def filter_by(key: str, dimension: str) -> None:
    value = charts.clicked(key)
    if value is not None and value != OTHER:
        filters.toggle(dimension, value)


def part_rows(found: list[Part], dimension: str, currency: str) -> pl.DataFrame:
    keys = ["all others" if part.key == OTHER else part.key for part in found]
    rows = [
        {dimension: key, "value_minor": part.value, "before_minor": part.before, "share": part.share}
        for key, part in zip(keys, found, strict=True)
    ]
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.lit(currency).alias("currency"))


def unrated(viewer: Viewer, chosen: Chosen) -> None:
    """Say what a converted answer leaves out, never drop it silently."""
    missing = compare.left_out(viewer, chosen.question("net_revenue"), chosen.currency) if chosen.house else {}
    if missing:
        sums = ", ".join(fmt.plain(fmt.money(value, name)) for name, value in missing.items())
        st.info(
            f"{sums} of net revenue has no rate to {chosen.currency} yet and is left out here."
            " Import rates, or choose its currency above.",
            icon=":material/currency_exchange:",
        )
