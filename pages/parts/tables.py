"""Tables and files: columns named for readers, money in major units, and CSV in which no cell is a formula."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import streamlit as st

from core.money import exponent, major_text
from core.spreadsheets import neutral


def major(frame: pl.DataFrame, column: str, currency: str) -> pl.DataFrame:
    """The same rows with an amount in major units, for number columns (shown, never added up)."""
    digits = exponent(currency)
    return frame.with_columns((pl.col(column).cast(pl.Float64) / 10**digits).alias(column))


def amounts(frame: pl.DataFrame, column: str, currency_column: str = "currency") -> pl.DataFrame:
    """Exact decimal text of an amount in each row's own currency: 12345.05, 1940, 5.125."""
    texts = [
        None if minor is None else major_text(minor, currency)
        for minor, currency in frame.select(column, currency_column).iter_rows()
    ]
    return frame.with_columns(pl.Series(column, texts, dtype=pl.String))


def safe(frame: pl.DataFrame) -> pl.DataFrame:
    """Text cells that a spreadsheet would run as a formula get a leading apostrophe; numbers stay numbers."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.col(name).map_elements(neutral, return_dtype=pl.String, skip_nulls=True) for name in texts
    )


def csv_button(frame: Callable[[], pl.DataFrame], name: str, *, key: str, label: str = "") -> None:
    """A file of the rows shown, made when it is asked for."""
    st.download_button(
        label or "CSV",
        lambda: csv_of(frame()).encode("utf-8-sig"),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=key,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="Download these rows as CSV",
    )


def csv_of(frame: pl.DataFrame) -> str:
    return safe(frame).write_csv()


def card(
    title: str, caption: str = "", *, key: str
) -> tuple[st.delta_generator.DeltaGenerator, st.delta_generator.DeltaGenerator]:
    """A bordered card with its title; returns the body and, on the title's right, room for controls."""
    body = st.container(border=True, key=key, height="stretch", gap="xsmall")
    with (
        body,
        st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=f"{key}_head"
        ),
    ):
        st.markdown(f"**{title}**" + (f"  :small[:gray[{caption}]]" if caption else ""), width="content")
        controls = st.container(horizontal=True, width="content", vertical_alignment="center")
    return body, controls
