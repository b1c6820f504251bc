"""Tables and files: exact amounts, and cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest

from core.spreadsheets import neutral
from pages.parts import tables


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "=cmd|'/c calc'!A1",
        "\t=1",
        "\r=1",
        " =1",
        "＝1+1",
        "－2",
        "\x00=1",
        "-",
        "+49 30 1234",
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_text(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-12.50", "12", "-1", "", "Tea = good", "a@b.example", "1-2", "'=1", "–"])
def test_numbers_and_ordinary_words_stay_as_they_are(cell: str) -> None:
    assert neutral(cell) == cell


def test_a_file_keeps_each_cell_whatever_is_in_it() -> None:
    words = ['say "hi", please', "two\nlines", "ünïcödé", "=evil", None]
    frame = pl.DataFrame({"product": words, "amount": ["-1.00", "2.00", "0", "1", None], "line": [1, 2, 3, 4, 5]})
    read = list(csv.DictReader(io.StringIO(tables.csv_of(frame))))
    assert [row["product"] for row in read] == [*words[:3], "'=evil", ""]
    assert [row["amount"] for row in read] == ["-1.00", "2.00", "0", "1", ""]
    assert [row["line"] for row in read] == ["1", "2", "3", "4", "5"]


def test_amounts_are_exact_in_each_row_s_own_currency() -> None:
    rows = pl.DataFrame({"amount": [1234505, -1940, 5125, None], "currency": ["USD", "JPY", "KWD", "EUR"]})
    assert tables.amounts(rows, "amount")["amount"].to_list() == ["12345.05", "-1940", "5.125", None]


def test_an_empty_table_has_its_heads() -> None:
    assert tables.csv_of(pl.DataFrame(schema={"order": pl.String, "amount": pl.Int64})) == "order,amount\n"
