"""What somebody chooses for a file: which column is which, what is fixed, which sales are refunds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import streamlit as st

from core.errors import Refusal
from core.insights import house_timezone
from core.intake.fields import Kind
from core.intake.options import Options

DATES = {"iso": "2026-03-31", "dmy": "31/03/2026", "mdy": "03/31/2026"}
NOTHING = ""


def choose(
    kind: Kind, header: Sequence[str], proposed: Mapping[str, str], last: Mapping[str, object], key: str
) -> Options | None:
    """The options as chosen; None, with a sentence on the screen, while they cannot be meant."""
    columns, constants = fields(kind, header, proposed, last.get("constants") or {}, key)  # type: ignore[arg-type]
    kinds = rules(last, key) if kind.name == "sales" else ()
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}_reading"):
        timezone = st.text_input(
            "Zone of times that name none",
            value=str(last.get("timezone") or house_timezone()),
            key=f"{key}_zone",
            width=220,
        )
        dates = st.selectbox(
            "How days are written", list(DATES), format_func=DATES.__getitem__, key=f"{key}_dates", width=180
        )
    rounding = st.checkbox(
        "Round amounts finer than their currency, half away from zero",
        value=bool(last.get("rounding")),
        key=f"{key}_round",
    )
    create = (
        st.checkbox("Enrol partners that are not known yet, as pending", key=f"{key}_create")
        if "partner" in kind.names
        else False
    )
    skip = st.checkbox(
        "Write the good rows although others are refused", key=f"{key}_skip", help="Else all or nothing."
    )
    try:
        return Options(columns, constants, kinds, rounding, timezone.strip(), dates, create, skip)  # type: ignore[arg-type]
    except Refusal as refusal:
        st.warning(refusal.sentence, icon=":material/info:")
        return None


def fields(
    kind: Kind, header: Sequence[str], proposed: Mapping[str, str], constants: Mapping[str, str], key: str
) -> tuple[dict[str, str], dict[str, str]]:
    """One line a field of ours: the file's column, or one value for every row."""
    lines = pl.DataFrame(
        {
            "Field": [field.name for field in kind.fields],
            "Needed": ["yes" if field.required else "" for field in kind.fields],
            "Column of the file": [proposed.get(field.name, NOTHING) for field in kind.fields],
            "Or one value for all rows": [constants.get(field.name, NOTHING) for field in kind.fields],
        },
        schema_overrides={"Or one value for all rows": pl.String, "Column of the file": pl.String},
    )
    edited = st.data_editor(
        lines,
        hide_index=True,
        key=f"{key}_fields",
        height=min(38 * len(lines) + 40, 420),
        disabled=["Field", "Needed"],
        column_config={"Column of the file": st.column_config.SelectboxColumn(options=[NOTHING, *header])},
    )
    rows = [(name, (theirs or "").strip(), (value or "").strip()) for name, _, theirs, value in edited.iter_rows()]
    return {name: theirs for name, theirs, _ in rows if theirs}, {name: value for name, _, value in rows if value}


def rules(last: Mapping[str, object], key: str) -> tuple[str, ...]:
    """Which sales are refunds or adjustments, where no column says so."""
    before = last.get("kinds")
    text = st.text_input(
        "Which lines are no sales",
        value=", ".join(before) if isinstance(before, list) else "",
        key=f"{key}_kinds",
        placeholder="C*=refund, A*=adjustment, negative=adjustment",
        help="The first rule that fits: order ids that begin so, or negative quantities (else amounts).",
    )
    return tuple(word.strip() for word in text.split(",") if word.strip())


def facts_about(kind: Kind) -> str:
    """What the kind needs, in a line."""
    needed = ", ".join(field.name for field in kind.fields if field.required)
    either = f"; and one of {', '.join(kind.needs_one_of)}" if kind.needs_one_of else ""
    derived = " (an amount may be quantity × price)" if kind.field("price") else ""
    return f"{kind.title} need {needed}{either}{derived}."
