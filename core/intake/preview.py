"""A look at a file before it is taken in: its columns, which of ours they would be, and its first rows as stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from sqlalchemy import Connection

from core.errors import Refusal
from core.intake import batches
from core.intake.cells import Given
from core.intake.files import open_source
from core.intake.load import Job, checked_source, kind_of, plan_for, settings_of_house
from core.intake.mapping import Plan, suggested
from core.intake.options import Options
from core.intake.report import BadCell, RefusedRows
from core.periods import now
from core.viewer import Viewer, require
from data.store import imports

ROWS = 20


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file as they would be stored, the cells among them that would be refused, and why not all."""

    rows: pl.DataFrame
    bad: tuple[BadCell, ...] = ()
    refusal: str = ""
    columns: dict[str, str] = field(default_factory=dict)


def header(path: Path, name: str) -> list[str]:
    """The columns of a file; refuses what cannot be read as what its name says."""
    opened = open_source(path, name)
    try:
        return list(opened.columns)
    finally:
        opened.close()


def proposed(db: Connection, viewer: Viewer, kind: str, source: str, columns: list[str]) -> dict[str, str]:
    """Ours → the file's column: as chosen for this source last time, else as their names suggest."""
    require(viewer, "admin")
    last = imports.remembered(db, kind, source.strip()) or {}
    known = {ours: theirs for ours, theirs in last.get("columns", {}).items() if theirs in columns}
    return known or suggested(kind_of(kind), columns)


def chosen_last(db: Connection, viewer: Viewer, kind: str, source: str) -> dict[str, object]:
    """The fixed values, rules and readings that were chosen for this source last time."""
    require(viewer, "admin")
    return dict(imports.remembered(db, kind, source.strip()) or {})


def look(db: Connection, viewer: Viewer, kind: str, path: Path, *, name: str, source: str, options: Options) -> Preview:
    """Read the first rows as an import would; nothing stays in the database."""
    require(viewer, "admin")
    trial = db.begin_nested()
    try:
        return _look(db, Job(viewer, kind_of(kind), checked_source(source), options, name, path))
    except Refusal as refusal:
        return Preview(pl.DataFrame(), refusal=refusal.sentence)
    finally:
        trial.rollback()


def _look(db: Connection, job: Job) -> Preview:
    opened = open_source(job.path or Path(), job.file_name)
    try:
        chosen: Plan = plan_for(db, job, opened, suggesting=True)
        batch = next(iter(opened.batches(chosen.wanted, ROWS)), None)
        if batch is None:
            return Preview(pl.DataFrame(), refusal="The file has a header and no rows.")
        refused = RefusedRows()
        names = batches.Names(db, job.viewer, job.options.create_partners, settings_of_house().timezone)
        given = Given(now(), job.options.timezone, job.options.dates, job.options.rounding)
        rows = batches.read(batch, chosen, given, names, refused)
        return Preview(rows, tuple(refused.listed), columns=dict(chosen.columns))
    finally:
        opened.close()


def history(db: Connection, viewer: Viewer, *, limit: int = 50) -> list[dict[str, object]]:
    """The newest imports first: when, who, what, how many rows, and what became of them."""
    require(viewer, "admin")
    return imports.history(db, limit=limit)
