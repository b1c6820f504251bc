"""What a screen says when there is nothing, not yet anything, or something that cannot be done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core import insights
from core.errors import Refusal
from core.viewer import Viewer
from pages.parts import format as fmt

TOAST = "toast"
LATE_S = 10.0


def title(text: str) -> None:
    """The title of a page without filters, where the other pages have theirs."""
    with st.container(horizontal=True, vertical_alignment="center", key="topbar"):
        st.title(text, anchor=False, width="content")


@contextmanager
def refusals() -> Iterator[None]:
    """Show a refusal as its sentence where it happens; the rest of the page stands."""
    try:
        yield
    except Refusal as refusal:
        st.warning(fmt.plain(refusal.sentence), icon=":material/info:")


def empty(sentence: str, icon: str = ":material/inbox:") -> None:
    """Nothing to show, and what to do about it."""
    with st.container(horizontal_alignment="center", gap="xsmall"):
        st.markdown(f":gray[{icon}]")
        st.markdown(f":gray[{sentence}]", text_alignment="center")


def nothing_sold(viewer: Viewer) -> None:
    if viewer.opens("import"):
        empty("No sales in this period and filter. Widen them above, or bring sales in under **Import**.")
    else:
        empty("No sales in this period and filter. Widen them above.")


def later(sentence: str) -> None:
    """A toast that survives the rerun which an act ends with."""
    st.session_state[TOAST] = sentence


def toasts() -> None:
    if sentence := st.session_state.pop(TOAST, None):
        st.toast(sentence, icon=":material/check_circle:")


def freshness() -> None:
    """How far the numbers are behind the record; loud when they are."""
    fresh = insights.freshness()
    if fresh.is_loading:
        st.info("The warehouse is being loaded from Postgres; numbers appear when it stands.", icon=":material/sync:")
    elif fresh.lag_s is not None and fresh.lag_s > LATE_S:
        reason = f": {fresh.fault}" if fresh.fault else ""
        st.warning(
            f"Numbers are as of {fmt.ago(fresh.lag_s)}{reason}. The feed goes on trying.",
            icon=":material/sync_problem:",
        )
    else:
        st.caption(f":material/check_circle: Up to date, {fmt.ago(fresh.lag_s)}")
