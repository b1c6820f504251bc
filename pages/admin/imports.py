"""Import: bring a file of facts in — choose its columns, look at it, try it, take it in — and see what came before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from core.intake import preview
from core.intake.kinds import KINDS
from core.intake.load import import_file
from core.intake.options import Options
from core.intake.report import Report
from core.runtime import transaction
from core.viewer import Viewer
from pages.parts import format as fmt
from pages.parts import import_form, notices, session, tables, uploads

BAD_SHOWN = 200
STATES = {"done": "taken in", "refused": "refused", "running": "running", "failed": "failed", "waiting": "waiting"}
REPORT = "import_report"


def what(viewer: Viewer) -> None:
    """The file, its kind and where it comes from; then its columns, the look, and the two buttons."""
    body, _ = tables.card("A file of facts", "CSV, CSV.GZ or Parquet, up to 500 MB", key="import_file")
    with body:
        with st.container(horizontal=True, vertical_alignment="bottom", key="import_what"):
            kind = st.selectbox("What it holds", list(KINDS), key="import_kind", width=200, format_func=fmt.label)
            source = st.text_input(
                "Where it comes from",
                value="file",
                key="import_source",
                width=220,
                max_chars=60,
                help="Ids are unique within a source; what you choose here is remembered for it.",
            )
        st.caption(import_form.facts_about(KINDS[kind]))
        upload = st.file_uploader(
            "File", type=["csv", "gz", "parquet"], key="import_upload", label_visibility="collapsed"
        )
    if upload is not None:
        chosen(viewer, kind, source, upload.name, uploads.spooled(upload), str(upload.file_id))


def chosen(viewer: Viewer, kind: str, source: str, name: str, path: Path, file_id: str) -> None:
    header = preview.header(path, name)
    with transaction() as db:
        proposed = preview.proposed(db, viewer, kind, source, header)
        last = preview.chosen_last(db, viewer, kind, source)
    body, _ = tables.card(
        "Its columns",
        "choose a column for each field, or type one value for all rows; * is needed",
        key="import_columns",
    )
    with body:
        options = import_form.choose(
            KINDS[kind], header, proposed, last, f"import_{kind}_{abs(hash((file_id, source)))}"
        )
    if options is None:
        return
    if look(viewer, kind, source, name, path, options):
        with st.container(horizontal=True, key="import_acts"):
            trying = st.button("Try it", icon=":material/science:", key="import_try", help="Everything but the writing")
            if trying or st.button("Import", icon=":material/upload_file:", type="primary", key="import_go"):
                take_in(viewer, kind, source, name, path, options, trying=trying)
    told(st.session_state.get(REPORT), file_id=str(path))


def look(viewer: Viewer, kind: str, source: str, name: str, path: Path, options: Options) -> bool:
    """The first rows as they would be stored; says whether there is anything to import."""
    with transaction() as db:
        seen = preview.look(db, viewer, kind, path, name=name, source=source, options=options)
    body, _ = tables.card("The first rows", "as they would be stored", key="import_look")
    with body:
        if seen.refusal:
            st.warning(fmt.plain(seen.refusal), icon=":material/info:")
            return False
        if seen.rows.height:
            st.dataframe(
                shown(seen.rows),
                hide_index=True,
                height=260,
                key="import_preview",
                alt="The first rows as they would be stored",
            )
        for cell in seen.bad[:5]:
            st.warning(fmt.plain(str(cell)), icon=":material/block:")
    return True


def shown(rows: pl.DataFrame) -> pl.DataFrame:
    """What a reader wants to see of a row, with its amount in major units."""
    if {"amount_minor", "currency"} <= set(rows.columns):
        rows = tables.amounts(rows, "amount_minor").rename({"amount_minor": "amount"})
    return rows.drop([name for name in ("digest", "source_id", "partner_id") if name in rows.columns])


def take_in(viewer: Viewer, kind: str, source: str, name: str, path: Path, options: Options, *, trying: bool) -> None:
    """Run the import with a bar; leaving the page before its end stores nothing."""
    bar = st.progress(0.0, "Reading …")
    options = Options.from_json({**options.to_json(), "dry_run": trying})

    def show(step: str, rows: int, share: float) -> None:
        bar.progress(min(max(share, 0.0), 1.0), f"{step.capitalize()} … {fmt.count(rows)} rows")

    with transaction() as db:
        report = import_file(
            db,
            viewer,
            kind,
            path,
            source=source,
            options=options,
            name=name,
            refused_to=uploads.refused_file(),
            progress=show,
        )
    uploads.keep_refused(report.refused_file, report.import_id)
    bar.empty()
    st.session_state[REPORT] = (str(path), report)


def told(held: tuple[str, Report] | None, *, file_id: str) -> None:
    """What became of the file that is on the screen."""
    if held is None or held[0] != file_id:
        return
    report = held[1]
    {"done": st.success, "tried": st.info, "refused": st.error}[report.state](
        fmt.plain(("Tried, nothing written: " if report.state == "tried" else "") + report.message)
    )
    for note in report.notes:
        st.caption(fmt.plain(note))
    cells = [*report.bad, *report.contradictions][:BAD_SHOWN]
    if cells:
        rows = pl.DataFrame([{"Line": c.line, "Column": c.column, "Why": c.reason} for c in cells])
        st.dataframe(rows, hide_index=True, key="import_bad", alt="Refused cells with line, column and reason")


def before(viewer: Viewer) -> None:
    """The history of imports; the refused rows of one are a file."""
    with transaction() as db:
        rows = preview.history(db, viewer)
    body, controls = tables.card("Imports so far", "newest first", key="import_history")
    with body:
        if not rows:
            notices.empty(
                "Nothing was imported yet. Choose a file above, or use `millrace import` for very large ones."
            )
            return
        st.dataframe(
            pl.DataFrame([line(row) for row in rows]), hide_index=True, key="import_table", alt="Imports, newest first"
        )
    with controls:
        refused_rows(rows)


def line(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "When": fmt.moment(row["started_at"]),
        "Who": row["person"] or "Millrace",
        "Kind": row["kind"],
        "Source": row["source"],
        "File": row["file_name"],
        "Became": STATES.get(str(row["state"]), str(row["state"])),
        "Rows": fmt.count(row["rows_read"]),
        "Written": fmt.count(row["rows_written"]),
        "Were there": fmt.count(row["rows_repeated"]),
        "Refused": fmt.count(row["rows_refused"]),
        "Message": row["message"],
    }


def refused_rows(rows: list[dict[str, Any]]) -> None:
    latest = next((row for row in rows if row["rows_refused"] and uploads.refused_of(int(row["id"]))), None)
    if latest is None:
        return
    path = uploads.refused_of(int(latest["id"]))
    if path is not None:
        st.download_button(
            "Refused rows",
            path.read_bytes(),
            f"{latest['file_name']}.refused.csv",
            "text/csv",
            key="import_refused",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )


viewer = session.require_screen("import")
notices.title("Import")
with notices.refusals():
    what(viewer)
before(viewer)
