"""Whatever comes under the name of a CSV or Parquet file is read, or refused with one sentence and nothing stored."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Connection, text

from core.intake import files
from core.intake.files import BadFile, as_text, open_source, plain_decimal
from core.intake.load import import_file
from core.intake.report import Report
from core.viewer import Viewer

HEADER = "order_id,at,amount,currency\n"
ROW = "1,2026-03-01 10:00:00,9.99,USD\n"


def csv_of(*cells: str) -> bytes:
    """One good row, and one with these cells."""
    return (HEADER + ROW + ",".join(cells) + "\n").encode()


def parquet_of(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def zip_of(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, HEADER + ROW)
    return buffer.getvalue()


GOOD = pl.DataFrame({"order_id": ["1"], "at": ["2026-03-01"], "amount": ["9.99"], "currency": ["USD"]})
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
AMOUNTS = [
    "NaN", "nan", "inf", "-inf", "Infinity", "1_000", "١٢٣", "１２３", "1e5", "1e400", "0x1F", "=1+1", "+1+1", "@A1",
    "<script>1</script>", "1 000", "1.2.3", "1.005", "--5", "9" * 31, "1" + "0" * 30, "10000000000000.01", "½", "null",
    "\"1,000.00\"", "(5.00)", "5-", "$5", "5 USD", "\u200b5", "−5", "-9.99", "True", "1\u0000", "०", "1.5\ufeff",
]  # fmt: skip

BAD: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.csv", b"", "The file is empty."),
    "blank": ("a.csv", b"\n\n\n", "names no columns"),
    "utf16": ("a.csv", (HEADER + ROW).encode("utf-16"), "UTF-16"),
    "utf16 without a mark": ("a.csv", (HEADER + ROW).encode("utf-16-le"), "UTF-16"),
    "latin1": ("a.csv", (HEADER + "1,2026-03-01,5,USD,caf\xe9\n").encode("latin-1"), "Line 2 is not UTF-8"),
    "missing column": ("a.csv", b"order_id,at,currency\n1,2026-03-01,USD\n", "No column for amount"),
    "double header": ("a.csv", b"order_id,at,amount,amount,currency\n1,2026-03-01,5,5,USD\n", "stands twice"),
    "far too many columns": ("a.csv", ",".join(f"c{n}" for n in range(1001)).encode(), "1001 columns"),
    "ragged": ("a.csv", csv_of("2", "2026-03-01"), "line 3: The row has 2 cells; the header has 4"),
    "too long a row": ("a.csv", csv_of("2", "2026-03-01", "5", "USD", "more"), "The row has 5 cells"),
    "open quote": ("a.csv", csv_of('"2', "2026-03-01", "5", "USD"), "is not CSV"),
    "stray quote": ("a.csv", csv_of('"2"x', "2026-03-01", "5", "USD"), "is not CSV"),
    "nul byte": ("a.csv", csv_of("2\0", "2026-03-01", "5", "USD"), "NUL"),
    "nul in the header": ("a.csv", b"order_id_of_ours,a\0t,amount,currency\n", "NUL"),
    "zip as csv": ("a.csv", zip_of("a.csv"), "this is a ZIP archive or an Excel workbook"),
    "xlsx as parquet": ("a.parquet", zip_of("xl/workbook.xml"), "not a Parquet file"),
    "picture as csv": ("a.csv", PNG, "this is a picture"),
    "picture as gz": ("a.csv.gz", PNG, "not a gzip file"),
    "parquet as csv": ("a.csv", parquet_of(GOOD), "this is a Parquet file"),
    "csv as parquet": ("a.parquet", csv_of("2", "2026-03-01", "5", "USD"), "not a Parquet file"),
    "gzip as csv": ("a.csv", gzip.compress(csv_of()), "this is a gzip file"),
    "csv as gzip": ("a.csv.gz", csv_of(), "not a gzip file"),
    "cut gzip": ("a.csv.gz", gzip.compress(csv_of("2", "2026-03-01", "5", "USD") * 50)[:-20], "damaged or cut short"),
    "damaged gzip": ("a.csv.gz", gzip.compress(csv_of())[:12] + b"\xff" * 30, "damaged or cut short"),
    "cut parquet": ("a.parquet", parquet_of(GOOD)[:-30], "damaged or cut short"),
    "only magic": ("a.parquet", b"PAR1PAR1", "damaged or cut short"),
    "another suffix": ("a.xlsx", zip_of("xl/workbook.xml"), "Millrace reads .csv, .csv.gz, .parquet"),
    "lists in parquet": ("a.parquet", parquet_of(GOOD.with_columns(amount=[[1]])), "Millrace reads text, numbers"),
    "currency that does not exist": ("a.csv", csv_of("2", "2026-03-01", "5", "XYZ"), "not an ISO 4217 currency"),
    "no currency": ("a.csv", csv_of("2", "2026-03-01", "5", ""), "The cell is empty"),
    "a date in 1066": ("a.csv", csv_of("2", "1066-10-14", "5", "USD"), "lies before 1970"),
    "a date ahead": ("a.csv", csv_of("2", "2999-01-01", "5", "USD"), "more than two days ahead"),
    "no date": ("a.csv", csv_of("2", "soon", "5", "USD"), "is not a time"),
    "sub-cent yen": ("a.csv", csv_of("2", "2026-03-01", "5.5", "JPY"), "more digits after the point than its currency"),
    "no order": ("a.csv", csv_of("", "2026-03-01", "5", "USD"), "line 3, order_id: The cell is empty"),
    **{f"amount {n}": ("a.csv", csv_of("2", "2026-03-01", amount, "USD"), "") for n, amount in enumerate(AMOUNTS)},
}


def import_bytes(db: Connection, admin: Viewer, folder: Path, name: str, content: bytes) -> Report:
    path = folder / name
    path.write_bytes(content)
    return import_file(db, admin, "sales", path, source="shop")


def nothing_stored(db: Connection) -> bool:
    return db.execute(text("select count(*) from sale")).scalar_one() == 0


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_one_sentence(db: Connection, admin: Viewer, tmp_path: Path, case: str) -> None:
    name, content, sentence = BAD[case]
    report = import_bytes(db, admin, tmp_path, name, content)
    assert report.state == "refused"
    assert sentence in report.message
    assert report.message
    assert "\n" not in report.message
    assert "Traceback" not in report.message
    assert nothing_stored(db)
    kept = db.execute(text("select state, rows_written, message from import_file")).one()
    assert tuple(kept) == ("refused", 0, report.message)
    assert db.execute(text("select act from audit")).scalar_one() == "import.refused"


def test_a_header_without_rows_is_an_import_of_nothing(db: Connection, admin: Viewer, tmp_path: Path) -> None:
    report = import_bytes(db, admin, tmp_path, "a.csv", HEADER.encode())
    assert (report.state, report.rows_read, report.rows_written) == ("done", 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + csv_of("2", "2026-03-02", "5", "USD"),
        csv_of("2", "2026-03-02", "5", "USD").replace(b"\n", b"\r\n"),
        csv_of("2", "2026-03-02", "5", "USD").replace(b",", b";"),
        csv_of("2", "2026-03-02", "5", "USD").replace(b",", b"\t"),
        csv_of("2", "2026-03-02", "5", "USD").rstrip(),
        csv_of("2", "2026-03-02", "5", "USD") + b"\n\n",
        b" Order ID ,AT,Amount,CURRENCY\n1,2026-03-01,9.99,USD\n2,2026-03-02, 5 ,usd\n",
    ],
    ids=["a BOM", "CRLF", "semicolons", "tabs", "no last newline", "blank lines", "other capitals"],
)
def test_the_usual_varieties_of_csv_are_read(db: Connection, admin: Viewer, tmp_path: Path, content: bytes) -> None:
    report = import_bytes(db, admin, tmp_path, "a.csv", content)
    assert (report.state, report.rows_written, report.message) == ("done", 2, "2 rows read: 2 written.")
    assert db.execute(text("select sum(amount_minor) from sale")).scalar_one() == 1499


def test_formulas_and_markup_are_kept_as_the_text_they_are(db: Connection, admin: Viewer, tmp_path: Path) -> None:
    evil = '"=HYPERLINK(""http://x"",""y"")"'
    content = f"order_id,at,amount,currency,product\n1,2026-03-01,5,USD,{evil}\n2,2026-03-01,5,USD,<b>x</b>\n"
    assert import_bytes(db, admin, tmp_path, "a.csv", content.encode()).rows_written == 2
    products = db.execute(text("select product from sale order by id")).scalars().all()
    assert products == ['=HYPERLINK("http://x","y")', "<b>x</b>"]


def test_a_quoted_cell_may_hold_newlines_and_lines_are_still_counted_right(
    db: Connection, admin: Viewer, tmp_path: Path
) -> None:
    content = 'order_id,at,amount,currency,product\n1,2026-03-01,5,USD,"a\nb\nc"\n\n2,2026-03-01,oops,USD,x\n'
    report = import_bytes(db, admin, tmp_path, "a.csv", content.encode())
    assert [(bad.line, bad.column) for bad in report.bad] == [(6, "amount")]


def test_a_huge_cell_is_refused_without_reading_it(db: Connection, admin: Viewer, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with open(path, "wb") as file:
        file.write((HEADER + ROW + '2,"').encode())
        file.truncate(file.tell() + (2 << 30))  # a sparse cell of 2 GB
    started = time.monotonic()
    report = import_file(db, admin, "sales", path, source="shop")
    assert "cell of more than 1,000,000 characters" in report.message
    assert time.monotonic() - started < 5
    assert nothing_stored(db)


def test_a_huge_cell_of_many_lines_is_refused(db: Connection, admin: Viewer, tmp_path: Path) -> None:
    content = (HEADER + ROW + '2,"' + "x" * 99 + "\n").encode() + (b"y" * 99 + b"\n") * 20_000
    report = import_bytes(db, admin, tmp_path, "a.csv", content)
    assert "cell of more than 1,000,000 characters" in report.message


@pytest.mark.parametrize("filling", [b"\0", b"\n", ROW.encode()], ids=["zeros", "newlines", "rows"])
def test_a_zip_bomb_is_refused(
    db: Connection, admin: Viewer, tmp_path: Path, filling: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FREE_BYTES", 5_000_000)
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(HEADER.encode())
        block = filling * (1_000_000 // len(filling))
        for _ in range(20):
            file.write(block)
    report = import_file(db, admin, "sales", path, source="shop")
    assert "zip bomb" in report.message
    assert nothing_stored(db)


def test_a_bomb_behind_good_rows_is_refused(
    db: Connection, admin: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FREE_BYTES", 500_000)
    good = "".join(f"{n},2026-03-01,{n}.50,USD,{n * 7919 % 10007}\n" for n in range(3_000))
    rest = "1,2026-03-01,5,USD," + "a" * 9_000 + "\n"
    content = gzip.compress((HEADER.strip() + ",x\n" + good + rest * 4_000).encode(), 9)
    report = import_bytes(db, admin, tmp_path, "a.csv.gz", content)
    assert "zip bomb" in report.message
    assert nothing_stored(db)


def test_a_parquet_bomb_is_refused(
    db: Connection, admin: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FREE_BYTES", 1_000_000)
    path = tmp_path / "a.parquet"
    one = pl.LazyFrame({"order_id": ["1"], "at": ["2026-03-01"], "amount": ["5"], "currency": ["USD"]})
    wide = one.select(pl.all().repeat_by(1_000_000).explode(empty_as_null=True))
    wide.collect().write_parquet(path, compression="zstd", row_group_size=1_000_000)
    report = import_file(db, admin, "sales", path, source="shop")
    assert "zip bomb" in report.message


def test_a_parquet_file_with_one_huge_cell_is_refused(db: Connection, admin: Viewer, tmp_path: Path) -> None:
    frame = GOOD.with_columns(order_id=pl.lit("x" * 80_000_000))
    report = import_bytes(db, admin, tmp_path, "a.parquet", parquet_of(frame))
    assert report.state == "refused"


def test_a_file_that_is_not_there_is_refused(db: Connection, admin: Viewer, tmp_path: Path) -> None:
    assert "There is no file" in import_file(db, admin, "sales", tmp_path / "none.csv", source="shop").message


def test_typed_columns_become_the_text_that_they_would_print_as() -> None:
    frame = pl.DataFrame(
        {
            "whole": [17850.0, float("nan"), None],
            "price": [0.1, 1e-7, 1e21],
            "exact": [Decimal("1.50"), Decimal("-0.01"), None],
            "count": [1, -2, None],
            "at": [datetime(2026, 3, 1, 10, 0, 0, 5), None, datetime(2026, 3, 1)],  # noqa: DTZ001
            "zoned": [datetime(2026, 3, 1, 10, tzinfo=UTC)] * 3,
            "yes": [True, False, None],
        },
    )
    text_ = as_text(frame).to_dict(as_series=False)
    assert text_["whole"] == ["17850", None, None]
    assert text_["price"] == ["0.1", "0.0000001", "1" + "0" * 21]
    assert text_["exact"] == ["1.50", "-0.01", None]
    assert text_["count"] == ["1", "-2", None]
    assert [value and value[:19] for value in text_["at"]] == ["2026-03-01 10:00:00", None, "2026-03-01 00:00:00"]
    assert text_["zoned"][0].startswith("2026-03-01 10:00:00")
    assert text_["zoned"][0].endswith("+00:00")
    assert text_["yes"] == ["true", "false", None]


@pytest.mark.parametrize(
    ("text_", "plain"),
    [("1e-7", "0.0000001"), ("-1.5e3", "-1500"), ("1.25e1", "12.5"), ("1e+21", "1" + "0" * 21), ("1.5e-1", "0.15")],
)
def test_a_float_with_an_exponent_is_written_out(text_: str, plain: str) -> None:
    assert plain_decimal(text_) == plain


def test_batches_are_bounded_by_rows_and_by_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BATCH_CHARS", 500)
    path = tmp_path / "a.csv"
    path.write_text(HEADER + ROW * 100)
    opened = open_source(path)
    sizes = [len(batch.lines) for batch in opened.batches(opened.columns, size=7)]
    opened.close()
    assert sum(sizes) == 100
    assert max(sizes) == 7
    opened = open_source(path)
    assert max(len(batch.lines) for batch in opened.batches(opened.columns)) < 20
    opened.close()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    with pytest.raises(BadFile, match="There is no file"):
        open_source(folder)
