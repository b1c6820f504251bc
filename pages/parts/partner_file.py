"""The file of one partner, in a drawer with an address of its own: what holds, codes, history, and the acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from core.errors import Refusal
from core.partners import codes, programs, registry
from core.partners.codes import KINDS
from core.partners.rules import REASON_MAX, REGIONS, STATUSES, STEPS, TYPES
from core.runtime import transaction
from core.viewer import Viewer
from pages.parts import format as fmt
from pages.parts import notices, partner_forms
from pages.parts.session import plain

PARAM = "open"
"""The parameter of the address that names the partner whose file lies open."""
BADGES = {"pending": "orange", "active": "green", "suspended": "red", "terminated": "gray"}

Row = Mapping[str, Any]


def open_at(code: str) -> None:
    st.query_params[PARAM] = code


def close() -> None:
    st.query_params.pop(PARAM, None)


def opened(viewer: Viewer) -> None:
    """Show the file that the address names. The row is read once, here: acts name the version that was seen."""
    code = st.query_params.get(PARAM)
    if not code:
        return
    with transaction() as db:
        number = registry.ids_of(db, [code]).get(code)
        try:
            row = registry.one(db, viewer, number or 0)
        except Refusal:
            close()
            st.toast("There is no such partner any more.", icon=":material/info:")
            return
    drawer = st.dialog(plain(row["name"]), position="right", width=640, on_dismiss=close)
    drawer(file)(viewer, row)


def file(viewer: Viewer, row: Row) -> None:
    status = row["status"]
    st.markdown(
        f":{BADGES[status]}-badge[{STATUSES[status]}] :gray[`{row['code']}` · {TYPES[row['type']]} · "
        f"{REGIONS[row['region']]}{' · ' + plain(row['country']) if row['country'] else ''}]"
    )
    acts(viewer, row)
    now, codes_tab, edit, history = st.tabs(["Terms", "Codes", "Edit", "History"], key="partner_view")
    with now:
        terms(viewer, row)
    with codes_tab:
        its_codes(viewer, row)
    with edit:
        partner_forms.change(viewer, row)
    with history:
        trail(viewer, row)


def share_of(row: Row) -> str:
    """The partner's own share, or the one that the program gives today."""
    if row["share_bps"] is not None:
        return fmt.percent(row["share_bps"] / 10_000, 2)
    if row["program_share_bps"] is not None:
        return f"{fmt.percent(row['program_share_bps'] / 10_000, 2)} (program)"
    return fmt.NONE


def terms(viewer: Viewer, row: Row) -> None:
    lines = {
        "Share": share_of(row),
        "Program": f"{row['program_name']}, in {row['currency']}, {row['timezone']}" if row["program"] else fmt.NONE,
        **promised(viewer, row),
        "Group": row["group_name"] or fmt.NONE,
        "E-mail": row["email"] or fmt.NONE,
        "API address": row["api_base"] or fmt.NONE,
        "Capabilities": ", ".join(row["capabilities"]) or fmt.NONE,
        "Enrolled": fmt.moment(row["created_at"]),
    }
    with st.grid(2, gap="small", min_column_width=220, key="partner_terms"):
        for label, value in lines.items():
            st.markdown(f":gray[{label}]  \n{plain(value)}")
    if row["metadata"]:
        st.json(dict(row["metadata"]), expanded=1)


def promised(viewer: Viewer, row: Row) -> dict[str, str]:
    """What the partner's program promises today."""
    if not row["program"]:
        return {}
    with transaction() as db:
        held = [one for one in programs.terms_of(db, viewer, row["program"]) if one["state"] == "in force"]
    if not held:
        return {}
    return {
        "Held for refunds": f"{held[0]['hold_days']} days",
        "Least that is paid out": fmt.money(held[0]["minimum_minor"], row["currency"]),
        "Payday": f"day {held[0]['payday']} of the month",
        "A click counts for": f"{held[0]['attribution_days']} days",
    }


def acts(viewer: Viewer, row: Row) -> None:
    """What the partner's status allows, and nothing else."""
    status = row["status"]
    with st.container(horizontal=True, key="partner_acts"):
        if status == "pending" and st.button("Approve", type="primary", icon=":material/check:", key="act_approve"):
            act(viewer, row, registry.approve, "is active; what it earns may be paid.")
        if status == "suspended" and st.button(
            "Reinstate", type="primary", icon=":material/undo:", key="act_reinstate"
        ):
            act(viewer, row, registry.reinstate, "is active again.")
        if "suspended" in STEPS[status]:
            with_reason(viewer, row, "Suspend", registry.suspend, "is suspended.")
        if "terminated" in STEPS[status]:
            with_reason(viewer, row, "Terminate", registry.terminate, "is terminated; its codes are retired.")
    if status == "terminated":
        st.caption("Termination is final. Sales keep their partner; nothing new is issued.")


def with_reason(viewer: Viewer, row: Row, label: str, act_of: Any, outcome: str) -> None:
    """An act that asks why before it is done."""
    key = f"act_{label.lower()}"
    icon = ":material/pause:" if label == "Suspend" else ":material/do_not_disturb_on:"
    with st.popover(label, icon=icon, key=key), st.form(f"{key}_form", border=False):
        reason = st.text_input("Why? The audit trail keeps it.", key=f"{key}_reason", max_chars=REASON_MAX)
        if label == "Terminate":
            st.caption("This is final, and retires every code of the partner.")
        if st.form_submit_button(label, type="primary", key=f"{key}_do"):
            act(viewer, row, act_of, outcome, reason)


def act(viewer: Viewer, row: Row, act_of: Any, outcome: str, *why: str) -> None:
    with notices.refusals():
        with transaction() as db:
            act_of(db, viewer, row["id"], row["version"], *why)
        notices.later(f"{plain(row['name'])} {outcome}")
        st.rerun()


def its_codes(viewer: Viewer, row: Row) -> None:
    with transaction() as db:
        rows = codes.codes(db, viewer, partner_id=row["id"])
    if rows:
        st.dataframe(listed(rows), hide_index=True, key="partner_codes", alt="Codes of this partner")
        retire(viewer, [line["code"] for line in rows if line["status"] == "active"])
    else:
        st.caption("No codes yet. A code lets sales find this partner.")
    if row["status"] != "terminated":
        partner_forms.issue(viewer, row, len(rows))


def listed(rows: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "Code": [line["code"] for line in rows],
            "Kind": [KINDS[line["kind"]] for line in rows],
            "Status": [line["status"].capitalize() for line in rows],
            "Uses": [
                f"{line['uses']} of {line['use_limit']}" if line["use_limit"] else str(line["uses"]) for line in rows
            ],
            "Leads to": [line["landing_url"] or fmt.NONE for line in rows],
            "Expires": [fmt.moment(line["expires_at"]) if line["expires_at"] else fmt.NONE for line in rows],
        }
    )


def retire(viewer: Viewer, active: Sequence[str]) -> None:
    if not active:
        return
    with st.form("retire_code", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        code = st.selectbox("Retire a code", active, key="retire_choice")
        if st.form_submit_button("Retire", key="retire_do", icon=":material/block:"):
            with notices.refusals():
                with transaction() as db:
                    codes.retire(db, viewer, str(code))
                notices.later(f"The code {code} is retired; sales that named it keep their partner.")
                st.rerun()


def trail(viewer: Viewer, row: Row) -> None:
    """What was done to this partner and its codes, newest first."""
    with transaction() as db:
        entries = registry.history(db, viewer, row["id"])
    for entry in entries:
        act_of = entry["act"].replace("_", " ").replace(".", " ").capitalize()
        before, after = told(entry["before"]), told(entry["after"])
        change = f"{plain(before)} → {plain(after)}" if before else plain(after)
        st.markdown(
            f"**{act_of}** :small[:gray[{fmt.moment(entry['at'])} · {plain(entry['actor'])}]]  \n:small[{change}]"
        )


def told(values: Mapping[str, Any] | None) -> str:
    """Fields of an audit entry as words; what is empty says nothing."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in (values or {}).items() if value not in (None, "", [], {})
    )
