"""Files as they come: CSV, CSV.GZ and Parquet, read in batches, whatever they turn out to hold."""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from core.errors import Refusal
from core.intake.report import BadCell
from core.money import shown

BATCH_ROWS = 50_000
BATCH_CHARS = 32_000_000
"""A batch ends at so many rows or so many characters, whichever comes first: that bounds the memory."""
LINE_MAX = 1_000_000
"""Bytes of one line, and characters of one cell."""
COLUMNS_MAX = 1_000
RATIO_MAX = 200
"""A file that unpacks to more than so many times its size, and to more than `FREE_BYTES`, is taken for a bomb."""
FREE_BYTES = 64_000_000
ROW_GROUP_MAX = 2_000_000_000

SUFFIXES = (".csv", ".csv.gz", ".parquet")
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip file",
    b"SQLite": "a database",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"ARROW1": "an Arrow file",
    b"\x7fELF": "a program",
}


class BadFile(Refusal):
    """A file that cannot be read as what its name says."""

    code = "bad_file"
    status = 422


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file as text, the line on which each begins, and the rows that are no rows."""

    cells: pl.DataFrame
    lines: pl.Series
    ragged: Sequence[tuple[list[str], BadCell]] = field(default_factory=tuple)
    done: float = 0.0
    """How much of the file has been read, from 0 to 1."""


class Source:
    """A file open for reading: its columns, and its rows in batches."""

    columns: list[str]

    def batches(self, wanted: Sequence[str], size: int = BATCH_ROWS) -> Iterator[Batch]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def open_source(path: Path, name: str = "") -> Source:
    """Open `path` as what `name` (default: its own name) ends in; refuses what is something else inside."""
    name = (name or path.name).lower()
    if not path.is_file():
        raise BadFile(f"There is no file {shown(str(path))}.")
    if path.stat().st_size == 0:
        raise BadFile("The file is empty.")
    with open(path, "rb") as file:
        start = file.read(16)
    if name.endswith(".parquet"):
        return Parquet(path, start)
    if name.endswith(".csv.gz"):
        return Csv(path, start, packed=True)
    if name.endswith(".csv"):
        return Csv(path, start, packed=False)
    raise BadFile(f"Millrace reads {', '.join(SUFFIXES)}; {shown(name)} is none of them.")


def checked_columns(names: Sequence[str]) -> list[str]:
    """Column names without the white space around them; refuses empty headers, doubles and far too many."""
    found = [name.strip() for name in names]
    if not any(found):
        raise BadFile("The first line names no columns.")
    if len(found) > COLUMNS_MAX:
        raise BadFile(f"The file has {len(found)} columns; Millrace reads up to {COLUMNS_MAX}.")
    unnamed = [name or f"column {n}" for n, name in enumerate(found, 1)]
    doubles = sorted({name for name in unnamed if unnamed.count(name) > 1})
    if doubles:
        raise BadFile(f"The column {shown(doubles[0])} stands twice in the header; give each its own name.")
    if any("\0" in name for name in unnamed):
        raise BadFile("The header holds NUL bytes; this is not a CSV file.")
    return unnamed


# ── CSV ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Csv(Source):
    """Comma, semicolon, tab or bar separated UTF-8 text with a header line."""

    def __init__(self, path: Path, start: bytes, *, packed: bool) -> None:
        refuse_other_types(start, packed=packed)
        self._size = path.stat().st_size
        if packed:
            refuse_gzip_bomb(path)
        self._raw = open(path, "rb")  # noqa: SIM115
        self._bytes: Any = gzip.GzipFile(fileobj=self._raw) if packed else self._raw
        self._packed = packed
        self._line = 0
        csv.field_size_limit(LINE_MAX)
        try:
            first = self._first_line()
            self._rows = csv.reader(self._text(first), delimiter=delimiter(first), strict=True)
            self.columns = checked_columns(self._next() or [])
        except Refusal:
            self.close()
            raise

    def close(self) -> None:
        self._bytes.close()
        self._raw.close()

    def batches(self, wanted: Sequence[str], size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Rows of exactly as many cells as the header has; others are ragged. Blank lines do not count."""
        rows: list[list[str]] = []
        lines: list[int] = []
        ragged: list[tuple[list[str], BadCell]] = []
        width, chars = len(self.columns), 0
        while True:
            line, characters = self._line + 1, self._characters
            row = self._next()
            if row is None:
                break
            if len(row) == width:
                rows.append(row)
                lines.append(line)
            elif row:
                ragged.append((row, BadCell(line, "", f"The row has {len(row)} cells; the header has {width}.")))
            chars += self._characters - characters
            if len(lines) + len(ragged) >= size or chars >= BATCH_CHARS:
                if rows or ragged:
                    yield self._batch(rows, lines, ragged)
                rows, lines, ragged, chars = [], [], [], 0
        if rows or ragged:
            yield self._batch(rows, lines, ragged)

    def _batch(self, rows: list[list[str]], lines: list[int], ragged: list[tuple[list[str], BadCell]]) -> Batch:
        columns = zip(*rows, strict=True) if rows else ((),) * len(self.columns)
        frame = pl.DataFrame([pl.Series(n, c, dtype=pl.String) for n, c in zip(self.columns, columns, strict=True)])
        return Batch(frame, pl.Series("line", lines, dtype=pl.Int64), ragged, self._raw.tell() / max(self._size, 1))

    def _next(self) -> list[str] | None:
        try:
            return next(self._rows, None)
        except csv.Error as error:
            if "field larger" in str(error):
                raise too_long(self._line) from None
            raise BadFile(f"Line {self._line} is not CSV ({error}); quotes must come in pairs.") from None

    def _first_line(self) -> str:
        self._characters = 0
        return next(self._lines(), "").removeprefix("\ufeff")

    def _text(self, first: str) -> Iterator[str]:
        yield first
        yield from self._lines()

    def _lines(self) -> Iterator[str]:
        """One line at a time, never more than `LINE_MAX` bytes of it in memory."""
        while True:
            raw = self._read_line()
            if not raw:
                return
            self._line += 1
            if len(raw) > LINE_MAX:
                raise too_long(self._line)
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                raise BadFile(f"Line {self._line} is not UTF-8; save the file as “CSV UTF-8”.") from None
            self._characters += len(text)
            yield text

    def _read_line(self) -> bytes:
        try:
            raw: bytes = self._bytes.readline(LINE_MAX + 1)
        except (gzip.BadGzipFile, zlib.error, EOFError):
            raise BadFile(f"The gzip file is damaged or cut short after line {self._line}.") from None
        if self._packed and self._line % 1000 == 0:
            self._refuse_bomb()
        return raw

    def _refuse_bomb(self) -> None:
        refuse_ratio(unpacked=self._bytes.tell(), packed=self._raw.tell())


def refuse_ratio(*, unpacked: int, packed: int) -> None:
    if unpacked > FREE_BYTES and unpacked > RATIO_MAX * max(packed, 1):
        raise BadFile(f"The file unpacks to more than {RATIO_MAX} times its size; Millrace takes that for a zip bomb.")


def refuse_gzip_bomb(path: Path) -> None:
    """Unpack the beginning, and throw it away, before any row of it is looked at."""
    with open(path, "rb") as raw, gzip.GzipFile(fileobj=raw) as unpacked:
        try:
            while unpacked.tell() <= 2 * FREE_BYTES and unpacked.read(1 << 20):
                refuse_ratio(unpacked=unpacked.tell(), packed=raw.tell())
        except (gzip.BadGzipFile, zlib.error, EOFError):
            return  # reading the rows will say where


def refuse_other_types(start: bytes, *, packed: bool) -> None:
    """Tell by its first bytes what a file is that is no CSV."""
    if packed:
        if not start.startswith(b"\x1f\x8b"):
            raise BadFile("The name says .csv.gz, but this is not a gzip file.")
        return
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or start[1:8:2] == b"\0\0\0\0":
        raise BadFile("The file is UTF-16; save it as “CSV UTF-8”.")
    for magic, what in _OTHERS.items():
        if start.startswith(magic):
            raise BadFile(f"The name says .csv, but this is {what}.")
    if b"\0" in start:
        raise BadFile("The name says .csv, but the file holds NUL bytes; this is no text.")


def delimiter(header: str) -> str:
    """What separates the header's columns: the candidate that stands there most often, the comma when none does."""
    return max(",;\t|", key=header.count)


def too_long(line: int) -> BadFile:
    return BadFile(f"Line {line} holds a cell of more than {LINE_MAX:,} characters; no fact is that long.")


# ── Parquet ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Parquet(Source):
    """A Parquet file; its typed columns become the text that they would print as."""

    def __init__(self, path: Path, start: bytes) -> None:
        import pyarrow.parquet as pq

        if not start.startswith(b"PAR1"):
            raise BadFile("The name says .parquet, but this is not a Parquet file.")
        try:
            self._file = pq.ParquetFile(path, memory_map=False, pre_buffer=False)
            self._meta = self._file.metadata
            self.columns = checked_columns([str(name) for name in self._file.schema_arrow.names])
            self._refuse_bomb(path.stat().st_size)
        except Refusal:
            raise
        except Exception:
            raise BadFile("The Parquet file is damaged or cut short.") from None
        self._header = dict(zip(self.columns, self._file.schema_arrow.names, strict=True))

    def close(self) -> None:
        self._file.close()

    def batches(self, wanted: Sequence[str], size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Only the wanted columns are read."""
        done, total = 0, max(self._meta.num_rows, 1)
        names = [self._header[name] for name in self.columns if name in set(wanted)]
        for record in self._records(size, names):
            frame = as_text(pl.DataFrame(pl.from_arrow(record)).rename({h: h.strip() for h in names}))
            lines = pl.int_range(done + 1, done + len(frame) + 1, eager=True).alias("line")
            done += len(frame)
            yield Batch(frame, lines, (), done / total)

    def _records(self, size: int, names: list[str]) -> Iterator[Any]:
        records = self._file.iter_batches(batch_size=size, columns=names)
        while True:
            try:
                record = next(records, None)
            except Exception:
                raise BadFile("The Parquet file is damaged: its pages cannot be read.") from None
            if record is None:
                return
            yield record

    def _refuse_bomb(self, size: int) -> None:
        groups = [self._meta.row_group(n) for n in range(self._meta.num_row_groups)]
        unpacked = sum(group.total_byte_size for group in groups)
        rows = sum(group.num_rows for group in groups)
        cells = max(rows, self._meta.num_rows) * max(1, self._meta.num_columns)
        refuse_ratio(unpacked=max(unpacked, cells), packed=size)
        if any(group.total_byte_size > ROW_GROUP_MAX for group in groups):
            raise BadFile("A row group unpacks to more than 2 GB; write the file with smaller row groups.")
        if rows != self._meta.num_rows or rows < 0:
            raise BadFile(
                "The Parquet file contradicts itself: its row groups hold other numbers of rows than it says."
            )


# ── typed columns as text ──────────────────────────────────────────────────────────────────────────────────────────


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as the text that a CSV of it would hold; a float as the shortest decimal that is read back as it."""
    return frame.with_columns([_text_of(column) for column in frame.get_columns()])


def _text_of(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if kind == pl.String:
        return column
    if kind.is_float():
        return _float_text(column)
    if kind.is_integer() or kind.is_decimal() or kind == pl.Boolean:
        return column.cast(pl.String)
    if kind == pl.Date:
        return column.dt.to_string("%Y-%m-%d")
    if isinstance(kind, pl.Datetime):
        return _time_text(column, kind)
    if isinstance(kind, (pl.Categorical, pl.Enum)) or kind == pl.Null:
        return column.cast(pl.String)
    raise BadFile(f"The column {shown(column.name)} holds {kind}; Millrace reads text, numbers, days and times.")


def _float_text(column: pl.Series) -> pl.Series:
    """17850.0 is 17850; NaN, which stands for nothing in files of floats, is nothing; 1e-7 is written out."""
    text = column.fill_nan(None).cast(pl.String).str.replace(r"\.0$", "")
    odd = text.str.contains("e").fill_null(False)
    if not odd.any():
        return text
    written = {value: plain_decimal(value) for value in text.filter(odd).unique().to_list()}
    return text.replace(written)


def plain_decimal(text: str) -> str:
    """`1e-7` without its exponent: 0.0000001."""
    head, _, power = text.partition("e")
    sign = "-" if head.startswith("-") else ""
    whole, _, part = head.lstrip("-").partition(".")
    shift = int(power)
    digits, point = whole + part, len(whole) + shift
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    digits = digits.ljust(point, "0")
    return f"{sign}{digits[:point]}" + (f".{digits[point:]}" if digits[point:].strip("0") else "")


def _time_text(column: pl.Series, kind: pl.Datetime) -> pl.Series:
    in_utc = column.dt.convert_time_zone("UTC") if kind.time_zone else column
    text = in_utc.dt.to_string("%Y-%m-%d %H:%M:%S%.f")
    return text + "+00:00" if kind.time_zone else text
