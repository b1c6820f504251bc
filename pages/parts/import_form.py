"""What somebody chooses for a file: which column is which, what is fixed, which sales are refunds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.errors import Refusal
from core.insights import house_timezone
from core.intake.fields import Field, Kind
from core.intake.options import Options
from pages.parts import format as fmt

DATES = {"iso": "2026-03-31", "dmy": "31/03/2026", "mdy": "03/31/2026"}
ALWAYS = ("partner", "amount", "quantity", "price", "customer", "product")
"""Fields that most files have somewhere, and that are asked for even where no column looks like them."""


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
    """A box for each field of ours: a column of the file is chosen; anything else typed is one value for all."""
    known = {**constants, **proposed}
    first = [f for f in kind.fields if f.required or f.name in known or f.name in ALWAYS]
    more = [f for f in kind.fields if f not in first]
    found = boxes(first, header, known, key)
    if more:
        with st.expander(f"{len(more)} more fields", key=f"{key}_more"):
            found |= boxes(more, header, known, key)
    columns = {name: value for name, value in found.items() if value in header}
    return columns, {name: value for name, value in found.items() if value not in header}


def boxes(fields: Sequence[Field], header: Sequence[str], known: Mapping[str, str], key: str) -> dict[str, str]:
    found: dict[str, str] = {}
    with st.grid(4, gap="small", min_column_width=190, key=f"{key}_{len(fields)}"):
        for field in fields:
            name = f"{key}_{field.name}"
            st.session_state.setdefault(name, known.get(field.name))  # proposed, and cleared by a click
            chosen = st.selectbox(
                f"{fmt.label(field.name)}{' *' if field.required else ''}",
                list(dict.fromkeys([*header, *([known[field.name]] if field.name in known else [])])),
                index=None,
                accept_new_options=True,
                placeholder="a column, or a value",
                key=name,
            )
            if chosen and chosen.strip():
                found[field.name] = chosen.strip()
    return found


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
