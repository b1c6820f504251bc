"""System: is everything running — the feed, the jobs, the proof that numbers are true — and who did what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from core import insights, jobs
from core.runtime import house, transaction
from core.trust import audit
from core.viewer import Viewer
from pages.parts import format as fmt
from pages.parts import notices, session, tables

AUDIT_SHOWN = 200


def feed(viewer: Viewer) -> None:
    fresh = insights.freshness()
    state = insights.state(viewer)
    with st.grid(4, gap="small", min_column_width=158, key="kpis"):
        st.metric(
            ":gray[Feed]",
            "follows" if not fresh.fault else "waits",
            delta=fresh.fault or None,
            delta_color="inverse",
            border=True,
            height="stretch",
            help="The warehouse copies each commit of Postgres.",
        )
        st.metric(":gray[Last look at Postgres]", fmt.ago(fresh.lag_s), border=True, height="stretch")
        st.metric(
            ":gray[Rows of the last step]",
            fmt.count(state.rows),
            delta=f"{state.seconds * 1000:.0f} ms",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
        )
        st.metric(":gray[Sale lines copied]", fmt.compact_count(state.sale_lines), border=True, height="stretch")


def proof(viewer: Viewer) -> None:
    body, controls = tables.card("Are the numbers true?", "warehouse against Postgres, to the unit", key="proof")
    with controls:
        asked = st.button("Check now", key="check_now", icon=":material/verified:")
    with body:
        if not asked:
            st.caption("The check also runs every night; `millrace check` does the same in a terminal.")
            return
        with st.spinner("Holding the warehouse against Postgres …"):
            findings = insights.check(viewer)
        broken = [finding for finding in findings if not finding.holds]
        if not broken:
            st.success(f"All {len(findings)} comparisons hold.", icon=":material/verified:")
        for finding in broken:
            st.error(fmt.plain(f"{finding.what}: {'; '.join(finding.breaks[:3])}"), icon=":material/error:")


def night(viewer: Viewer) -> None:
    with transaction() as db:
        overview = jobs.overview(db, viewer)
    body, _ = tables.card("Jobs", "what runs by itself, in the zone named", key="jobs")
    with body:
        rows = [
            {
                "Job": line["name"],
                "What for": line["sentence"],
                "At": f"{line['at']} {line['zone']}",
                "Next": fmt.moment(line["next_due"]),
                "Last day": fmt.day(line["last_day"]),
                "Went": line["last_state"] or fmt.NONE,
            }
            for line in overview["jobs"]
        ]
        st.dataframe(pl.DataFrame(rows), hide_index=True, key="jobs_table", alt="Jobs, when they run and how they went")
        queue = overview["queue"]
        st.caption(f"Deferred work: {queue['waiting']} waiting, {queue['running']} running, {queue['failed']} failed.")


def trail(viewer: Viewer) -> None:
    body, controls = tables.card("Audit trail", f"the newest {AUDIT_SHOWN} acts", key="audit")
    with body:
        words = st.text_input(
            "Acts that begin with",
            key="audit_filter",
            placeholder="Acts that begin with partner. or import.",
            label_visibility="collapsed",
        )
        with transaction() as db:
            rows = audit.latest(db, viewer, limit=AUDIT_SHOWN, act=words)
        if not rows:
            notices.empty("No act begins with that.")
            return
        frame = pl.DataFrame([told(row) for row in rows])
        st.dataframe(frame, hide_index=True, key="audit_table", height=360, alt="Audit trail, newest first")
    with controls:
        tables.csv_button(lambda: frame, "audit", key="audit_csv")


def told(row: Mapping[str, Any]) -> dict[str, str]:
    """One act as a reader reads it."""
    return {
        "When": fmt.moment(row["at"]),
        "Who": row["actor"],
        "Act": row["act"],
        "To what": row["subject"],
        "Before": fields(row["before"]),
        "After": fields(row["after"]),
        "From": row["origin"],
    }


def fields(values: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name}: {value}" for name, value in (values or {}).items())


viewer = session.require_screen("system")
notices.title("System")
with notices.refusals():
    if caution := house().caution:
        st.info(caution, icon=":material/shield:")
    feed(viewer)
    proof(viewer)
    night(viewer)
    trail(viewer)
