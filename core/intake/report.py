"""What became of an import: how many rows were read, written, met before and refused, and why."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from core.errors import Refusal
from core.money import shown
from core.spreadsheets import neutral

LISTED_MAX = 1000
"""So many refused cells are listed one by one; all are counted, and all stand in the file of refused rows."""

State = Literal["done", "refused", "tried"]


@dataclass(frozen=True, slots=True)
class BadCell:
    """One cell that was refused: its line in the file (the header is line 1), its column there, and why."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.reason}" if self.column else f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Report:
    kind: str
    source: str
    file_name: str
    state: State
    """done: written; refused: nothing written; tried: a dry run that would have been done."""
    message: str = ""
    rows_read: int = 0
    rows_written: int = 0
    rows_repeated: int = 0
    """Rows that were there before, contradicting ones included."""
    rows_contradicting: int = 0
    """Rows met before under the same id with other content; the first stays."""
    rows_refused: int = 0
    bad: tuple[BadCell, ...] = ()
    contradictions: tuple[BadCell, ...] = ()
    partners_created: int = 0
    customers_created: int = 0
    rows_priced: int = 0
    """Earlier rows that got their amount in the house currency from this import of rates."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Ours → the file's column."""
    notes: tuple[str, ...] = ()
    refused_file: str = ""
    import_id: int | None = None

    def to_row(self) -> dict[str, Any]:
        """Plain values for JSON."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        cells = {name: [{"line": b.line, "column": b.column, "reason": b.reason} for b in row[name]] for name in _CELLS}
        return {**row, **cells, "columns": dict(self.columns), "notes": list(self.notes)}


_CELLS = ("bad", "contradictions")


class BadRows(Refusal):
    """Rows of the file cannot be kept; nothing was written. `report` names each."""

    code = "bad_rows"
    status = 422

    def __init__(self, report: Report) -> None:
        super().__init__(report.message)
        self.report = report


class RefusedRows:
    """The rows that cannot be kept: counted, the first of them listed, all written to a file when one is given."""

    def __init__(self, path: Path | None = None) -> None:
        self.count = 0
        self.listed: list[BadCell] = []
        self.path = path
        self._file: IO[str] | None = None
        self._columns = 0

    def add(self, header: Sequence[str], cells: Sequence[object], bad: Sequence[BadCell]) -> None:
        self.count += 1
        self.listed.extend(bad[: max(0, LISTED_MAX - len(self.listed))])
        if self.path:
            self._write(header, cells, bad)

    def _write(self, header: Sequence[str], cells: Sequence[object], bad: Sequence[BadCell]) -> None:
        if self._file is None and self.path:
            self._file = open(self._unfinished, "w", encoding="utf-8", newline="")  # noqa: SIM115
            csv.writer(self._file).writerow([*map(neutral, header), "line", "column", "reason"])
            self._columns = len(header)
        texts = ["" if cell is None else neutral(str(cell)) for cell in cells]
        row = (texts + [""] * self._columns)[: max(self._columns, len(texts))]
        line, columns = str(bad[0].line), ", ".join(dict.fromkeys(b.column for b in bad if b.column))
        csv.writer(self._file).writerow([*row, line, neutral(columns), neutral(" ".join(b.reason for b in bad))])  # type: ignore[arg-type]

    @property
    def _unfinished(self) -> Path:
        return self.path.with_name(self.path.name + ".part")  # type: ignore[union-attr]

    def close(self) -> str:
        """Finish the file; answers its path, or nothing where no row was refused."""
        if self._file is None:
            return ""
        self._file.close()
        os.replace(self._unfinished, self.path)  # type: ignore[arg-type]
        return str(self.path)

    def drop(self) -> None:
        """Leave no file behind: the import itself failed."""
        if self._file is not None:
            self._file.close()
            self._unfinished.unlink(missing_ok=True)


def reason_of(template: str, cell: object) -> str:
    """The reason with the refused cell in it, quoted and cut to a readable length."""
    return template.replace("{}", shown("" if cell is None else str(cell)))
