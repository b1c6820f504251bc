"""Notes on business days, for those who may write them: they stand as marks over every trend."""

from __future__ import annotations

import streamlit as st

from core import insights
from core.growth import annotations as notes
from core.runtime import transaction
from core.viewer import Viewer
from pages.parts import notices


def button(viewer: Viewer) -> None:
    if not viewer.roles & {"admin", "analyst"}:
        return
    with (
        st.popover("Add a note to a day", icon=":material/add_notes:", key="annotate", type="tertiary"),
        st.form("annotate_form"),
    ):
        day = st.date_input("Business day", value=insights.today(), key="annotate_day")
        label = st.text_input("What happened", key="annotate_label", max_chars=120, placeholder="Spring launch")
        if st.form_submit_button("Add", key="annotate_add", type="primary"):
            with notices.refusals():
                with transaction() as db:
                    notes.add(db, viewer, day, label, today=insights.today())
                notices.later("The note stands; it shows on the trend in a moment.")
                st.rerun()
