"""The forms of the registry: enrol a partner, change one, issue a code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import streamlit as st

from core.partners import codes, programs, registry, rules
from core.partners.codes import KINDS
from core.partners.rules import REGIONS, TYPES
from core.runtime import transaction
from core.viewer import Viewer
from pages.parts import notices
from pages.parts.session import plain

Row = Mapping[str, Any]

NEW: Row = {
    "name": "",
    "type": "affiliate",
    "region": "global",
    "country": "",
    "program": None,
    "group": None,
    "email": "",
    "share_bps": None,
    "api_base": "",
    "capabilities": (),
    "metadata": {},
}


@st.dialog("New partner", icon=":material/person_add:", width="medium")
def enrol(viewer: Viewer) -> None:
    """A partner begins as pending, and its file opens."""
    with st.form("enrol_partner", border=False):
        code = st.text_input(
            "Code",
            key="enrol_code",
            max_chars=60,
            placeholder="from the name, such as acme-travel",
            help="How files and links name the partner; it never changes.",
        )
        fields = filled(viewer, NEW, "enrol")
        if not st.form_submit_button("Enrol", type="primary", key="enrol_do"):
            return
    with notices.refusals():
        with transaction() as db:
            made = registry.enrol(db, viewer, fields | {"code": code.strip() or rules.code_of(fields["name"])})
        notices.later(f"{plain(made.name)} is enrolled and waits for approval.")
        st.query_params["open"] = made.code
        st.rerun()


def change(viewer: Viewer, row: Row) -> None:
    """The fields as the reader saw them; somebody else's change in between is not overwritten."""
    key = f"edit_{row['id']}_{row['version']}"
    with st.form(key, border=False):
        fields = filled(viewer, row, key)
        if not st.form_submit_button("Save", type="primary", key="edit_do"):
            return
    with notices.refusals():
        with transaction() as db:
            registry.change(db, viewer, row["id"], row["version"], fields)
        notices.later(f"{plain(fields['name'])} is saved.")
        st.rerun()


def filled(viewer: Viewer, row: Row, key: str) -> dict[str, Any]:
    """The fields of a partner, as the form holds them."""
    with transaction() as db:
        open_programs = {
            line["code"]: f"{line['name']} ({line['currency']})"
            for line in programs.programs(db, viewer)
            if line["status"] == "active" or line["code"] == row["program"]
        }
        groups = {line["code"]: line["name"] for line in programs.groups(db, viewer)}
    name = st.text_input("Name", row["name"], key=f"{key}_name", max_chars=rules.TEXT_MAX)
    with st.grid(2, gap="small", min_column_width=200):
        kind = chosen("Type", TYPES, row["type"], f"{key}_type")
        region = chosen("Region", REGIONS, row["region"], f"{key}_region")
        program = chosen("Program", open_programs, row["program"], f"{key}_program", may_be_empty=True)
        group = chosen("Group", groups, row["group"], f"{key}_group", may_be_empty=True)
        share = st.number_input(
            "Share in percent",
            0.0,
            100.0,
            percent_of(row["share_bps"]),
            step=0.5,
            key=f"{key}_share",
            placeholder="the program's",
            help="Empty: the program's share holds.",
        )
        country = st.text_input("Country", row["country"] or "", key=f"{key}_country", max_chars=60)
        email = st.text_input("E-mail", row["email"] or "", key=f"{key}_email", type="email", max_chars=254)
        api_base = st.text_input(
            "API address",
            row["api_base"] or "",
            key=f"{key}_api",
            placeholder="https://api.example.com/v1",
            max_chars=300,
        )
    capabilities = st.text_input(
        "Capabilities", " ".join(row["capabilities"]), key=f"{key}_capabilities", placeholder="orders.read webhooks"
    )
    metadata = st.text_area(
        "Metadata (JSON)",
        json.dumps(row["metadata"], ensure_ascii=False) if row["metadata"] else "",
        key=f"{key}_metadata",
        placeholder='{"contract": "C-17"}',
        height="content",
        max_chars=rules.METADATA_MAX,
    )
    return {
        "name": name,
        "type": kind,
        "region": region,
        "program": program,
        "group": group,
        "share_bps": None if share is None else round(share * 100),
        "country": country,
        "email": email,
        "api_base": api_base,
        "capabilities": capabilities,
        "metadata": metadata,
    }


def issue(viewer: Viewer, row: Row, count: int) -> None:
    """A new code for a partner who has `count` of them; once issued, the form is empty again."""
    key = f"issue_{row['id']}_{count}"
    with st.expander("Issue a code", icon=":material/add_link:", key=f"{key}_open"), st.form(key, border=False):
        kind = st.segmented_control(
            "Kind", list(KINDS), default="link", required=True, format_func=KINDS.__getitem__, key=f"{key}_kind"
        )
        with st.grid(2, gap="small", min_column_width=200):
            code = st.text_input("Code", key=f"{key}_code_text", max_chars=40, placeholder="made up for you")
            landing = st.text_input(
                "Leads to", key=f"{key}_landing", type="url", max_chars=2000, placeholder="https://shop.example.com/"
            )
            campaign = st.text_input("Campaign", key=f"{key}_campaign", max_chars=60)
            limit = st.number_input(
                "Use limit", 1, None, None, key=f"{key}_limit", placeholder="none; 10 for referral rewards"
            )
            last = st.date_input(
                "Last day", None, min_value="today", key=f"{key}_last", help="Empty: no end. Days are UTC."
            )
        if not st.form_submit_button("Issue", type="primary", key="issue_do"):
            return
    ends = datetime.combine(last + timedelta(days=1), time(), UTC) if last else None
    with notices.refusals():
        with transaction() as db:
            made = codes.issue(
                db,
                viewer,
                row["id"],
                code=code.strip() or None,
                kind=kind or "link",
                landing_url=landing,
                campaign=campaign,
                use_limit=limit,
                expires_at=ends,
            )
        notices.later(f"The code {made['code']} belongs to {plain(row['name'])}.")
        st.rerun()


def chosen(
    label: str, options: Mapping[str, str], value: str | None, key: str, *, may_be_empty: bool = False
) -> str | None:
    """One of `options`; with `may_be_empty` also none of them."""
    names: Sequence[str] = list(options)
    index = names.index(value) if value in names else (None if may_be_empty else 0)
    return st.selectbox(label, names, index, key=key, format_func=options.__getitem__, placeholder="None")


def percent_of(bps: int | None) -> float | None:
    return None if bps is None else bps / 100
