"""Charts as plain dicts: half a millisecond to build, coloured by the theme in the browser, PNG on hover."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

# Streamlit swaps these sentinels for theme.chartCategoricalColors, so that light and dark need no rerun.
COLOURS = [f"#{number:06d}" for number in range(1, 11)]
BEFORE = COLOURS[1]
"""What a number is compared with, on every chart."""
HALO = "rgba(6,18,24,0.45)"
"""Around a tick, so that it stands out from bars and from both backgrounds."""
MUTED, GRID = "rgba(115,130,140,0.95)", "rgba(125,140,150,0.18)"
LABEL_MAX = 26


def config(file_name: str) -> dict[str, Any]:
    """No zooming by accident; one button, shown on hover: the chart as PNG."""
    return {
        "displaylogo": False,
        "scrollZoom": False,
        "doubleClick": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"filename": file_name, "format": "png", "scale": 2},
    }


def layout(*, height: int = 300, legend: bool = True, **more: Any) -> dict[str, Any]:
    axis = {
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
        "tickfont": {"color": MUTED, "size": 12},
        "automargin": True,
    }
    given_x, given_y = more.pop("xaxis", {}), more.pop("yaxis", {})
    return {
        "height": height,
        "margin": {"l": 0, "r": 6, "t": 40 if legend else 8, "b": 0, "pad": 4},
        "colorway": COLOURS,
        "showlegend": legend,
        "dragmode": False,
        "hovermode": "x unified",
        "bargap": 0.28,
        "barcornerradius": 3,
        "legend": {"orientation": "h", "y": 1.06, "yanchor": "bottom", "x": 0, "xanchor": "left", "font": {"size": 12}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": MUTED},
        "xaxis": {**axis, "showgrid": False, **given_x},
        "yaxis": {**axis, "gridcolor": GRID, "nticks": 5, **given_y},
        **more,
    }


def money_axis(values: Sequence[float | None], text: Callable[[float], str], ticks: int = 4) -> dict[str, Any]:
    """An axis whose ticks are formatted by us, in the reader's locale: round steps over the values and zero."""
    known = [value for value in values if value is not None] or [0]
    low, high = min(0, *known), max(0, *known)
    step = round_step((high - low) / ticks or 1)
    at = [step * number for number in range(math.floor(low / step), math.ceil(high / step) + 1)]
    return {"tickvals": at, "ticktext": [text(value) for value in at]}


def round_step(rough: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 5, 10):
        if rough <= factor * power:
            return factor * power
    return 10 * power


def bars(
    names: Sequence[str],
    values: Sequence[float],
    texts: Sequence[str],
    *,
    name: str,
    colour: int = 0,
    faint: Sequence[bool] = (),
) -> dict[str, Any]:
    """Upright bars; the faint ones are buckets that are still open."""
    return {
        "type": "bar",
        "name": words(name),
        "x": list(names),
        "y": list(values),
        "customdata": list(texts),
        "hovertemplate": "%{customdata}",
        "marker": {
            "color": COLOURS[colour % 10],
            "opacity": [0.45 if open_ else 1 for open_ in faint] if any(faint) else 1,
            "line": {"width": 0},
        },
    }


def line(
    names: Sequence[str], values: Sequence[float | None], texts: Sequence[str], *, name: str, quiet: bool = False
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(names),
        "y": list(values),
        "customdata": list(texts),
        "hovertemplate": "%{customdata}",
        "line": {
            "color": BEFORE if quiet else COLOURS[0],
            "width": 2,
            "dash": "dot" if quiet else "solid",
            "shape": "linear",
        },
    }


def ranking(
    names: Sequence[str],
    values: Sequence[float],
    texts: Sequence[str],
    before: Sequence[float | None],
    keys: Sequence[str],
    chosen: Sequence[str],
) -> list[dict[str, Any]]:
    """Lying bars, largest on top, with a tick where the period before stood; chosen ones keep their colour.

    They stand at positions, not at their names, which may be alike, look like numbers, or be cut; `names_axis` tells.
    """
    places = list(range(len(names)))
    opacity = [1 if not chosen or key in chosen else 0.35 for key in keys]
    return [
        {
            "type": "bar",
            "orientation": "h",
            "y": places,
            "x": list(values),
            "customdata": list(keys),
            "text": [f"{words(name)}: {text}" for name, text in zip(names, texts, strict=True)],
            "textposition": "none",
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {"color": COLOURS[0], "opacity": opacity, "line": {"width": 0}},
            "selected": {"marker": {"opacity": 1}},
            "unselected": {"marker": {"opacity": 1}},
        },
        *(ticks(places, before, width, colour) for width, colour in ((5, HALO), (2.5, BEFORE))),
    ]


def ticks(places: Sequence[int], values: Sequence[float | None], width: float, colour: str) -> dict[str, Any]:
    """Where the period before stood."""
    return {
        "type": "scatter",
        "mode": "markers",
        "y": list(places),
        "x": list(values),
        "hoverinfo": "skip",
        "marker": {"symbol": "line-ns", "size": 16, "line": {"width": width, "color": colour}},
    }


def names_axis(names: Sequence[str]) -> dict[str, Any]:
    """The axis of a ranking: a name at each position, the first on top."""
    shown = [name if len(name) <= LABEL_MAX else f"{name[: LABEL_MAX - 1]}…" for name in names]
    ticks = {"tickvals": list(range(len(shown))), "ticktext": [words(name) for name in shown]}
    return {**ticks, "type": "linear", "range": [len(shown) - 0.5, -0.5], "showgrid": False}


def words(text: str) -> str:
    """Somebody's own words within a chart, which would read tags in them as its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def show(
    traces: list[dict[str, Any]],
    *,
    key: str,
    alt: str,
    height: int = 300,
    legend: bool = True,
    on_select: Callable[[], None] | None = None,
    **more: Any,
) -> Any:
    """Draw traces; `alt` says in a sentence what a reader who cannot see the chart should know."""
    figure: dict[str, Any] = {"data": traces, "layout": layout(height=height, legend=legend, **more)}
    if on_select is None:
        return st.plotly_chart(figure, key=key, config=config(key), alt=alt)
    figure["layout"] |= {"clickmode": "event+select", "hovermode": "closest"}
    return st.plotly_chart(figure, key=key, config=config(key), alt=alt, on_select=on_select, selection_mode="points")


def clicked(key: str) -> str | None:
    """The key of the bar that was clicked, within a selection callback."""
    points = st.session_state[key]["selection"]["points"]
    if not points:
        return None
    data = points[0].get("customdata")
    return str(data[0] if isinstance(data, (list, tuple)) else data) if data is not None else None
