"""The filters that pages share: period, currency, and any value of any dimension. They live in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial

import streamlit as st

from core import insights
from core.insights import Question
from core.money import shown
from core.periods import Period, last_days, last_months
from core.viewer import Viewer
from pages.parts import format as fmt

PERIODS = {
    "30D": "30 days",
    "90D": "90 days",
    "6M": "6 months",
    "12M": "12 months",
    "All": "All time",
    "Custom": "Custom",
}
USUAL = "90D"
DIMENSIONS = ("partner", "product", "category", "region", "country", "channel", "source", "partner_type")
OFFERED_MAX = 60
STALE_DAYS = 35


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the reader has chosen above: the questions of the page are asked over it."""

    period: Period
    covered: Period  # the part of the period that data covers, so that open buckets can be marked
    currency: str
    house: bool  # amounts are converted to the house currency at locked rates
    where: Mapping[str, tuple[str, ...]]

    def question(self, metric: str, *by: str, **more: object) -> Question:
        """`metric` over the chosen period and filters."""
        where = dict(self.where)
        if not self.house:
            where["currency"] = (self.currency,)
        asked = Question(metric, self.period, by, where, self.currency if self.house else None)
        return replace(asked, **more)  # type: ignore[arg-type]

    def without(self, dimension: str) -> Chosen:
        """All but the filters on `dimension`: its own ranking shows the others too, pale, to be clicked next."""
        return replace(self, where={name: values for name, values in self.where.items() if name != dimension})


def bar(viewer: Viewer, title: str) -> Chosen:
    """The row under which a page of numbers stands: its title, and the filters."""
    first, last = days_with_data(viewer)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="topbar"):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center", key="filters"):
            name = st.segmented_control(
                "Period",
                list(PERIODS),
                default=USUAL,
                required=True,
                key="period",
                bind="query-params",
                label_visibility="collapsed",
                help="The days that the page is about; comparisons take as many before.",
            )
            currency, house = currency_choice(viewer)
    period = custom(first, last) if name == "Custom" else preset(name or USUAL, first, last)
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="filter_row"
    ):
        said(period, first, last, currency_said(viewer, currency, house))
        where = only(viewer)
    return Chosen(period, covered(period, first, last), currency, house, where)


def days_with_data(viewer: Viewer) -> tuple[date, date]:
    """The first and the last business day with a sale line; today where there is none."""
    days = insights.fact_days(viewer)
    today = insights.today()
    return days or (today, today)


def end_of(last: date) -> date:
    """The day after the last that data can cover: today, or the end of the data where it stopped long ago."""
    today = insights.today()
    return (last if is_stale(last, today) else max(last, today)) + timedelta(days=1)


def covered(period: Period, first: date, last: date) -> Period:
    """The days of the period that are over and that data reaches; today is open, and so is its bar."""
    today = insights.today()
    since, until = max(period.since, first), last + timedelta(days=1) if is_stale(last, today) else today
    if min(until, period.until) <= since:
        return Period(since - timedelta(days=1), since)  # none of them
    return Period(since, min(until, period.until))


def is_stale(last: date, today: date) -> bool:
    return (today - last).days > STALE_DAYS


def preset(name: str, first: date, last: date) -> Period:
    """A named period, ending today; data that stopped long ago is looked at up to its end."""
    end = end_of(last) - timedelta(days=1)
    if name == "All":
        return Period(min(first, end), end + timedelta(days=1))
    if name.endswith("M"):
        return last_months(int(name[:-1]), end)
    return last_days(int(name[:-1]), end)


def custom(first: date, last: date) -> Period:
    end = end_of(last) - timedelta(days=1)
    asked = partial(st.date_input, bind="query-params", width=160, min_value=first, max_value=end)
    with st.container(horizontal=True, key="custom_days"):
        since = asked("From", value=max(first, end - timedelta(days=29)), key="since")
        until = asked("To (included)", value=end, key="until")
    since, until = (value if isinstance(value, date) else end for value in (since, until))
    if until < since:
        st.warning("The period ends before it begins; the two days were swapped.", icon=":material/info:")
        since, until = until, since
    return Period(since, until + timedelta(days=1))


def currency_choice(viewer: Viewer) -> tuple[str, bool]:
    """One currency for the page: the house's, converted at locked rates, or one of the facts' own."""
    house = insights.house_currency()
    found = insights.currencies(viewer)
    options = [house, *(name for name in found.others if name != house)]
    if not found.has_converted and found.others:
        options = list(found.others)
    if len(options) == 1:
        return options[0], options[0] == house
    chosen = st.selectbox(
        "Currency",
        options,
        key="currency",
        bind="query-params",
        label_visibility="collapsed",
        width=110,
    )
    return str(chosen), chosen == house and found.has_converted


def currency_said(viewer: Viewer, currency: str, house: bool) -> str:
    """Whether other currencies are in the numbers, where there are any."""
    if len(insights.currencies(viewer).others) < 2:
        return ""
    return f"all in {currency}" if house else f"{currency} sales alone"


def only(viewer: Viewer) -> dict[str, tuple[str, ...]]:
    """Any value of any dimension, as `Country: DE`; clicking on a chart adds here too.

    The words hold codes, not names: they are the URL, two partners may share a name, and a partner may change it.
    """
    chosen = st.multiselect(
        "Filter",
        offered(viewer),
        key="only",
        bind="query-params",
        accept_new_options=True,
        placeholder="Filter by " + ("partner, " if viewer.sees_all_partners else "") + "product, region, channel …",
        label_visibility="collapsed",
        width=460,
    )
    where: dict[str, tuple[str, ...]] = {}
    for word in chosen:
        found = meaning(str(word))
        if found is None:
            st.warning(
                f"{fmt.plain(shown(str(word)))} is no filter; choose one from the list, or click on a bar.",
                icon=":material/info:",
            )
            continue
        name, value = found
        where[name] = (*where.get(name, ()), value)
    return where


def offered(viewer: Viewer) -> list[str]:
    names = [name for name in DIMENSIONS if viewer.sees_all_partners or not name.startswith("partner")]
    listed = [spoken(name, value) for name in names for value in insights.values_of(viewer, name)[:OFFERED_MAX]]
    return list(dict.fromkeys([*listed, *st.session_state.get("only", [])]))


def spoken(name: str, value: str) -> str:
    """A filter as a word: `Partner type: affiliate`, or `Partner: –` for rows without one."""
    return f"{fmt.label(name)}: {value or fmt.NONE}"


def meaning(word: str) -> tuple[str, str] | None:
    """The dimension and the value that a word names; None where it names no dimension."""
    label, colon, value = word.partition(":")
    name, value = label.strip().lower().replace(" ", "_"), value.strip()
    return (name, "" if value == fmt.NONE else value) if colon and name in DIMENSIONS else None


def toggle(dimension: str, value: str) -> None:
    """Add a filter, or take it away when it stands; for callbacks, before the widgets are drawn."""
    chosen = list(st.session_state.get("only", []))
    others = [word for word in chosen if meaning(word) != (dimension, value)]
    st.session_state["only"] = others if len(others) < len(chosen) else [*chosen, spoken(dimension, value)]


def said(period: Period, first: date, last: date, currency: str) -> None:
    """Which days these are, why when they are not the latest, and what is in the numbers."""
    before = period.before()
    text = fmt.days(period.since, period.last_day)
    if before.since < first:
        text += f"; nothing to compare with, as data begins on {fmt.day(first)}"
    else:
        text += f", compared with {fmt.days(before.since, before.last_day)}"
    if is_stale(last, insights.today()):
        text += f". The data ends on {fmt.day(last)}; periods end there"
    if currency:
        text += f" · {currency}"
    st.caption(text, width="content")
