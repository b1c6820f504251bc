"""People: who may come in and what they see; invite, change roles, reset, shut out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from core.runtime import house, transaction
from core.trust import people
from core.trust.people import Invitation
from core.viewer import ROLES, Viewer
from pages.parts import format as fmt
from pages.parts import notices, session

LINK = "people_link"
ANEW = "Takes password, second factor and sessions away; a one-time link lets them choose anew."
STATUS = {"active": "Active", "invited": "Invited", "disabled": "Disabled"}

Rows = Sequence[Mapping[str, Any]]


def listed(rows: Rows, partners: Mapping[int, str]) -> Mapping[str, Any] | None:
    """The table, and the person whose row is chosen; its key follows the rows, so that a choice never slips."""
    frame = pl.DataFrame(
        {
            "Name": [row["name"] for row in rows],
            "E-mail": [row["email"] for row in rows],
            "Roles": [[role.title() for role in sorted(row["roles"])] for row in rows],
            "Partners": [", ".join(partners.get(one, "?") for one in row["partner_ids"]) for row in rows],
            "Status": [STATUS[row["status"]] for row in rows],
            "Second factor": ["Yes" if row["has_second_factor"] else "No" for row in rows],
            "Last seen": [fmt.moment(row["seen_at"]) if row["seen_at"] else fmt.NONE for row in rows],
        }
    )
    chosen = st.dataframe(
        frame,
        hide_index=True,
        key=f"people_{hash(tuple((row['id'], row['status']) for row in rows))}",
        selection_mode="single-row",
        on_select="rerun",
        column_config={"Roles": st.column_config.MultiselectColumn(options=[role.title() for role in ROLES])},
        alt="People with their roles, partners and status",
    )
    picked = chosen["selection"]["rows"]
    return rows[picked[0]] if picked else None


def rights(row: Mapping[str, Any], partners: Mapping[int, str], key: str) -> tuple[list[str], list[int]]:
    """Roles, and for a partner the partners whose rows they see."""
    roles = st.pills(
        "Roles", ROLES, selection_mode="multi", default=row["roles"], format_func=str.title, key=f"{key}_roles"
    )
    theirs: list[int] = []
    if "partner" in roles:
        named = [one for one in row["partner_ids"] if one in partners]
        theirs = st.multiselect(
            "Partners whose rows they see",
            list(partners),
            named,
            format_func=partners.__getitem__,
            key=f"{key}_partners",
        )
    return list(roles), theirs


@st.dialog("Invite somebody", icon=":material/person_add:")
def invite(viewer: Viewer, partners: Mapping[int, str]) -> None:
    name = st.text_input("Name", key="invite_name", max_chars=120)
    email = st.text_input("E-mail", key="invite_email", max_chars=254)
    roles, theirs = rights({"roles": [], "partner_ids": []}, partners, "invite")
    if st.button("Invite", type="primary", key="invite_send"):
        with notices.refusals():
            with transaction() as db:
                made = people.invite(
                    db, viewer, house().settings, email=email, name=name, roles=roles, partner_ids=theirs
                )
            st.session_state[LINK] = made
            st.rerun()


@st.dialog("Change", icon=":material/edit:")
def change(viewer: Viewer, row: Mapping[str, Any], partners: Mapping[int, str]) -> None:
    key = f"change_{row['id']}"
    st.text(row["email"])
    name = st.text_input("Name", row["name"], key=f"{key}_name", max_chars=120)
    roles, theirs = rights(row, partners, key)
    if st.button("Save", type="primary", key="change_save"):
        with notices.refusals():
            with transaction() as db:
                people.change(db, viewer, row["id"], name=name, roles=roles, partner_ids=theirs)
            notices.later(f"{session.plain(name)} is changed; their open tabs follow within seconds.")
            st.rerun()


@st.dialog("One-time link", icon=":material/link:")
def show_link(made: Invitation) -> None:
    """The only time the link is seen: it is stored as a hash."""
    if made.link is None:
        st.markdown("They sign in through your company's provider, with this address:")
        st.code(made.email, language=None)
        return
    st.markdown("Hand this over in person or by a message. It works once, and is not shown again:")
    st.code(made.link, language=None, wrap_lines=True)
    st.text(f"For {made.email}, until {fmt.moment(made.expires_at)}.")


def acts(viewer: Viewer, row: Mapping[str, Any], partners: Mapping[int, str]) -> None:
    """What can be done with the chosen person."""
    is_shut = row["status"] == "disabled"
    with st.container(horizontal=True, vertical_alignment="center", key="people_acts"):
        st.markdown(f"**{session.plain(row['name'])}**")
        if st.button("Change", icon=":material/edit:", key="act_change"):
            change(viewer, row, partners)
        if st.button("New link", icon=":material/link:", key="act_reset", disabled=is_shut, help=ANEW):
            with notices.refusals(), transaction() as db:
                st.session_state[LINK] = people.reset(db, viewer, house().settings, row["id"])
        if st.button("End sessions", icon=":material/logout:", key="act_sessions", disabled=is_shut):
            with transaction() as db:
                ended = people.end_sessions(db, viewer, row["id"])
            notices.later(f"{ended} {'session' if ended == 1 else 'sessions'} of {session.plain(row['name'])} ended.")
            st.rerun()
        label = "Enable" if is_shut else "Disable"
        if st.button(label, icon=":material/lock_open:" if is_shut else ":material/block:", key="act_status"):
            with notices.refusals():
                with transaction() as db:
                    (people.enable if is_shut else people.disable)(db, viewer, row["id"])
                notices.later(f"{session.plain(row['name'])} is {'enabled' if is_shut else 'disabled'}.")
                st.rerun()


viewer = session.require_screen("people")
with transaction() as db:
    rows = people.everybody(db, viewer)
    partners = {line["id"]: f"{line['name']} ({line['code']})" for line in people.partner_choices(db, viewer)}

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="topbar"):
    st.title("People", anchor=False, width="content")
    if st.button("Invite", type="primary", icon=":material/person_add:", key="invite_open"):
        invite(viewer, partners)
st.caption(
    "Roles decide which screens open and whose rows they hold. Every act here is in the audit trail under System."
)
chosen = listed(rows, partners)
if chosen:
    acts(viewer, chosen, partners)
else:
    st.caption("Choose a row to change roles, send a new link, end sessions or shut somebody out.")
if made := st.session_state.pop(LINK, None):
    show_link(made)
