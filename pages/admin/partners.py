"""Partners: the registry. Find one, open its file, approve those who wait, enrol new ones; programs beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from core.partners import registry
from core.partners.rules import REGIONS, STATUSES, TYPES
from core.runtime import transaction
from core.viewer import Viewer
from pages.parts import format as fmt
from pages.parts import notices, partner_file, partner_forms, programs, session, tables

Rows = Sequence[Mapping[str, Any]]

COLOURS = {"Pending": "orange", "Active": "green", "Suspended": "red", "Terminated": "gray"}
CARDS = {
    "pending": ("Pending", ":material/hourglass_top:", "wait for approval"),
    "active": ("Active", ":material/check_circle:", "earn and are paid"),
    "suspended": ("Suspended", ":material/pause_circle:", "paused for a reason"),
    "terminated": ("Terminated", ":material/do_not_disturb_on:", "left for good"),
}


def cards(counts: Mapping[str, int]) -> None:
    with st.grid(4, gap="small", min_column_width=158, key="partner_counts"):
        for status, (title, icon, meaning) in CARDS.items():
            st.metric(
                f":gray[{title}]", fmt.count(counts[status]), delta=meaning, delta_color="off", delta_arrow="off",
                icon=icon, border=True, height="stretch",
            )  # fmt: skip


def filtered(viewer: Viewer) -> Rows:
    """What the filters above the table leave; they live in the URL."""
    with st.grid(4, gap="small", min_column_width=140, key="partner_filters"):
        search = st.text_input(
            "Search", key="search", bind="query-params", type="search", icon=":material/search:",
            placeholder="Name, code, e-mail, referral code", label_visibility="collapsed", max_chars=100,
        )  # fmt: skip
        status, kind, region = (
            st.multiselect(
                label, list(named), key=label.lower(), bind="query-params", format_func=named.__getitem__,
                placeholder=f"Every {label.lower()}", label_visibility="collapsed",
            )
            for label, named in (("Status", STATUSES), ("Type", TYPES), ("Region", REGIONS))
        )  # fmt: skip
    with transaction() as db:
        return registry.find(db, viewer, search=search or "", status=status, type=kind, region=region)


def shown(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "Partner": [row["name"] for row in rows],
            "Code": [row["code"] for row in rows],
            "Status": [[STATUSES[row["status"]]] for row in rows],
            "Type": [TYPES[row["type"]] for row in rows],
            "Region": [REGIONS[row["region"]] for row in rows],
            "Program": [row["program_name"] or fmt.NONE for row in rows],
            "Group": [row["group_name"] or fmt.NONE for row in rows],
            "Share": [partner_file.share_of(row) for row in rows],
            "Codes": [row["codes"] for row in rows],
            "Since": [row["created_at"].date() for row in rows],
        }
    )


def table(rows: Rows) -> list[Mapping[str, Any]]:
    """The rows, and those that are ticked. The key follows ids and versions, so that no tick slips to another row."""
    pills = st.column_config.MultiselectColumn(options=list(COLOURS), color=list(COLOURS.values()), width=110)
    chosen = st.dataframe(
        shown(rows),
        hide_index=True,
        height=min(38 + 35 * len(rows), 528),
        key=f"partners_{hash(tuple((row['id'], row['version']) for row in rows))}",
        selection_mode="multi-row",
        on_select="rerun",
        column_config={
            "Status": pills,
            "Group": st.column_config.TextColumn(width=120),
            "Codes": st.column_config.NumberColumn(width=70),
            "Since": st.column_config.DateColumn(format="localized"),
        },
        alt="Partners with their status, type, region, program and share",
    )
    return [rows[position] for position in chosen["selection"]["rows"]]


def approve(viewer: Viewer, waiting: Rows) -> None:
    with transaction() as db:
        for row in waiting:
            registry.approve(db, viewer, row["id"], row["version"])
    one = session.plain(waiting[0]["name"]) if len(waiting) == 1 else f"{len(waiting)} partners"
    notices.later(f"Approved {one}; what they earn may be paid.")
    st.rerun()


def register(viewer: Viewer) -> None:
    body, controls = tables.card("Registry", "tick rows to open or approve", key="registry")
    with body:
        rows = filtered(viewer)
        if not rows:
            notices.empty(
                "No partner matches. Widen the filters, press **New partner**, or bring a file in under Import."
            )
        ticked = table(rows) if rows else []
    with controls:
        if rows:
            plain = shown(rows).with_columns(pl.col("Status").list.first())
            tables.csv_button(lambda: plain, "partners", key="partners_csv")
        are_waiting = bool(ticked) and all(row["status"] == "pending" for row in ticked)
        label = f"Approve {len(ticked)}" if are_waiting else "Approve"
        if st.button(label, icon=":material/check:", key="approve_ticked", disabled=not are_waiting):
            with notices.refusals():
                approve(viewer, ticked)
        code = ticked[0]["code"] if len(ticked) == 1 else ""
        st.button(
            "Open", icon=":material/open_in_new:", key="open_ticked", disabled=not code, on_click=partner_file.open_at,
            args=(code,),
        )  # fmt: skip


viewer = session.require_screen("partners")
with transaction() as db:
    counts = registry.counts(db, viewer)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="topbar"):
    st.title("Partners", anchor=False, width="content")
    is_new = st.button("New partner", type="primary", icon=":material/person_add:", key="new_partner")
cards(counts)
partners, terms = st.tabs(["Partners", "Programs and groups"], key="view", on_change="rerun", bind="query-params")
if partners.open:
    with partners:
        register(viewer)
if terms.open:
    with terms:
        programs.screen(viewer)
if is_new:
    partner_forms.enrol(viewer)
else:
    partner_file.opened(viewer)
