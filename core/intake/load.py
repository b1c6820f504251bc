"""The one way in for files and frames: read, refuse or write everything, and report.

An import is one transaction of whoever opens it. Nothing is written unless every row is good, or the bad ones are
to be skipped; what dies on the way leaves nothing; what was imported before changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
from sqlalchemy import Connection

from core import runtime
from core.errors import NotFound, Refusal
from core.intake import batches
from core.intake.cells import Given
from core.intake.fields import Kind
from core.intake.files import BATCH_ROWS, Batch, Source, as_text, checked_columns, open_source
from core.intake.kinds import KINDS
from core.intake.mapping import BadMapping, Plan, plan
from core.intake.options import Options
from core.intake.partners import enrol_all
from core.intake.report import LISTED_MAX, BadCell, BadRows, RefusedRows, Report
from core.money import EXPONENTS, shown
from core.periods import now
from core.settings import Settings, read
from core.trust import audit
from core.viewer import SYSTEM, Viewer, require
from data.store import facts, imports, rates
from data.store.rates import HouseCurrency

Progress = Callable[[str, int, float], None]
"""Called with the step (reading, writing), the rows so far and the share of the file, from 0 to 1."""

SOURCE_MAX = 60


@dataclass(frozen=True, slots=True)
class Job:
    """One import: what is read, for whom, and where the refused rows go."""

    viewer: Viewer
    kind: Kind
    source: str
    options: Options
    file_name: str = ""
    path: Path | None = None
    refused_to: Path | None = None
    progress: Progress = lambda step, rows, share: None


def load_frame(
    db: Connection,
    viewer: Viewer,
    kind: str,
    frame: pl.DataFrame,
    *,
    source: str,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Report:
    """Take in a frame whose columns are called as the kind's fields are.

    Values may be typed; amounts are decimal text, Decimal or whole numbers, in major units. Raises `BadRows` (its
    `report` names them) when rows are refused and not to be skipped; then nothing is written.
    """
    job = Job(viewer, kind_of(kind), checked_source(source), options or Options(), file_name=f"frame of {kind}")
    report = _import(db, replace(job, progress=progress or job.progress), FrameSource(frame), suggesting=False)
    if report.state == "refused":
        raise BadRows(report)
    return report


def import_file(
    db: Connection,
    viewer: Viewer,
    kind: str,
    path: Path,
    *,
    source: str = "file",
    options: Options | None = None,
    name: str = "",
    refused_to: Path | None = None,
    progress: Progress | None = None,
) -> Report:
    """Take in a CSV, CSV.GZ or Parquet file; `name` is what it was called before it was uploaded.

    Never raises for what the file holds: the report is done, refused (nothing written, `message` says why) or
    tried (a dry run). Each but the last is kept in the history and the audit trail.
    """
    require(viewer, "admin")
    job = Job(viewer, kind_of(kind), checked_source(source), options or Options(), file_name=name or path.name)
    job = replace(job, refused_to=refused_to, progress=progress or job.progress)
    try:
        opened = open_source(path, job.file_name)
    except Refusal as refusal:
        return _refused(db, job, _report(job, message=refusal.sentence))
    try:
        return _import(db, replace(job, path=path), opened, suggesting=True)
    finally:
        opened.close()


def kind_of(name: str) -> Kind:
    if name not in KINDS:
        raise NotFound(f"There is no kind of facts {shown(name)}; there are {', '.join(KINDS)}.")
    return KINDS[name]


def checked_source(source: str) -> str:
    """The name under which files of one origin are known: their ids are unique within it."""
    name = source.strip()
    if not name or len(name) > SOURCE_MAX or not name.isprintable():
        raise BadMapping(f"A source is called by 1 to {SOURCE_MAX} plain characters, such as shop or erp-emea.")
    return name


class FrameSource(Source):
    """A frame in memory, read as a file is."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.columns = checked_columns(frame.columns)
        self._frame = frame

    def batches(self, wanted: Sequence[str], size: int = BATCH_ROWS) -> Iterator[Batch]:
        for start in range(0, len(self._frame), size):
            cells = as_text(self._frame.slice(start, size).select(list(wanted)))
            lines = pl.int_range(start + 1, start + len(cells) + 1, eager=True).alias("line")
            yield Batch(cells, lines, (), (start + len(cells)) / len(self._frame))

    def close(self) -> None:
        pass


# ── one import, told in order ──────────────────────────────────────────────────────────────────────────────────────


def reached(point: str) -> None:
    """The steps of an import by name; tests of sudden death replace this."""


def _import(db: Connection, job: Job, opened: Source, *, suggesting: bool) -> Report:
    """Read, then write everything or nothing."""
    require(job.viewer, "admin")
    trial = db.begin_nested()
    refused = RefusedRows(job.refused_to)
    try:
        report = _take_in(db, job, opened, refused, suggesting=suggesting)
        report = replace(report, refused_file=refused.close())
    except Refusal as refusal:
        trial.rollback()
        refused.drop()
        return _refused(db, job, _report(job, message=refusal.sentence))
    except BaseException:
        trial.rollback()
        refused.drop()
        raise
    if report.state == "done" and not job.options.dry_run:
        trial.commit()
        return report
    trial.rollback()
    if report.state == "done":
        return replace(report, state="tried", import_id=None)
    return _refused(db, job, report)


def _take_in(db: Connection, job: Job, opened: Source, refused: RefusedRows, *, suggesting: bool) -> Report:
    settings = settings_of_house()
    facts.hold_source(db, job.source, brings_rates=job.kind.table == "rate")
    chosen = plan_for(db, job, opened, suggesting=suggesting)
    import_id = _begin(db, job, chosen)
    reached("begun")
    names = batches.Names(db, job.viewer, job.options.create_partners, settings.timezone)
    staging = facts.stage(db, job.kind.table, batches.staged_columns(chosen))
    rows_read = _stage(db, job, opened, chosen, staging, names, refused)
    reached("staged")
    report = _report(
        job,
        rows_read=rows_read,
        rows_refused=refused.count,
        bad=tuple(refused.listed),
        columns=dict(chosen.columns),
        notes=tuple(sorted(names.notes)),
        import_id=import_id,
    )
    if refused.count and not job.options.skip_bad:
        return replace(report, state="refused", message=_too_bad(refused))
    job.progress("writing", rows_read, 1.0)
    house = HouseCurrency(settings.currency, EXPONENTS)
    report = _write(db, job, chosen, staging, names, house, report)
    if report.state == "refused":
        return report
    reached("written")
    _remember(db, job, chosen)
    sha256 = _sha256(job.path) if job.path else ""
    imports.finish(db, import_id, state="done", message=report.message, counts=_counts(report), sha256=sha256)
    _audit(db, job, "import.done", report)
    job.progress("written", rows_read, 1.0)
    reached("recorded")
    return report


def plan_for(db: Connection, job: Job, opened: Source, *, suggesting: bool) -> Plan:
    """What was chosen now, else what was chosen last time for this source, else what the names suggest."""
    last = imports.remembered(db, job.kind.name, job.source) if suggesting else None
    if last is None:
        return plan(job.kind, opened.columns, job.options, suggesting=suggesting)
    remembered = {ours: theirs for ours, theirs in last.get("columns", {}).items() if theirs in opened.columns}
    constants = {**last.get("constants", {}), **job.options.constants}
    mapping = {ours: theirs for ours, theirs in remembered.items() if ours not in job.options.constants}
    mapping |= job.options.mapping
    constants = {ours: value for ours, value in constants.items() if ours not in mapping}
    if "amount" in job.options.mapping:
        mapping.pop("price", None)
    kinds = job.options.kinds or tuple(last.get("kinds", ()))
    chosen = plan(job.kind, opened.columns, replace(job.options, mapping=mapping, constants=constants, kinds=kinds))
    refuse_other_identity(chosen, last)
    return chosen


def refuse_other_identity(chosen: Plan, last: Mapping[str, object]) -> None:
    """Rows without an id are known by their mapped columns: with other columns, all of them would count twice."""
    before = last.get("identity")
    if not known_by_their_content(chosen) or not isinstance(before, list) or tuple(before) == chosen.identity:
        return
    raise BadMapping(
        f"Rows of this source have no id of their own and are told apart by {', '.join(before)}; mapping"
        f" {', '.join(chosen.identity)} would count them twice. Map the same fields, or name another source."
    )


def known_by_their_content(chosen: Plan) -> bool:
    """Whether rows have neither an id of the source nor a key of their own, as a rate has its day and currencies."""
    return chosen.kind.key == ("source", "source_id") and "source_id" not in chosen.columns


def _begin(db: Connection, job: Job, chosen: Plan) -> int:
    return imports.begin(
        db,
        kind=job.kind.name,
        source=job.source,
        file_name=job.file_name,
        options={**job.options.to_json(), "columns": dict(chosen.columns)},
        person_id=None if job.viewer.person_id == SYSTEM.person_id else job.viewer.person_id,
    )


def _stage(
    db: Connection,
    job: Job,
    opened: Source,
    chosen: Plan,
    staging: facts.Staging,
    names: batches.Names,
    refused: RefusedRows,
) -> int:
    given = Given(now(), job.options.timezone, job.options.dates, job.options.rounding)
    rows_read = 0
    for batch in opened.batches(chosen.wanted):
        facts.add(db, staging, batches.read(batch, chosen, given, names, refused))
        rows_read += len(batch.lines) + len(batch.ragged)
        job.progress("reading", rows_read, batch.done)
        reached("batch")
    return rows_read


def _write(
    db: Connection,
    job: Job,
    chosen: Plan,
    staging: facts.Staging,
    names: batches.Names,
    house: HouseCurrency,
    report: Report,
) -> Report:
    import_id = report.import_id or 0
    kind, source = job.kind, job.source
    customers = 0
    if staging.has("organization"):
        facts.add_organizations(db, staging, source=source, import_id=import_id)
    if staging.has("customer"):
        customers = facts.add_customers(db, staging, source=source, import_id=import_id)
    reached("customers")
    if kind.table == "partner":
        return _enrol(db, job, chosen, staging, report)
    written = facts.settle(db, staging, source=source, import_id=import_id, house=house)
    reached("settled")
    repeated = report.rows_read - report.rows_refused - written
    count, differing = 0, tuple[BadCell, ...]()
    if repeated:
        facts_changed(db, kind, chosen, staging, source)
        count, differing = _contradictions(db, job, chosen, staging)
    if kind.table == "sale":
        facts.link_waiting(db, source)
        rates.lock_linked(db, house)
    priced = rates.lock(db, house) if kind.table == "rate" else 0
    report = replace(
        report,
        rows_written=written,
        rows_repeated=repeated,
        rows_contradicting=count,
        contradictions=tuple(differing),
        partners_created=names.created,
        customers_created=customers,
        rows_priced=priced,
    )
    if count and kind.never_contradicted:
        return replace(report, state="refused", message=_contradicted(differing[0]))
    return replace(report, message=_done(report))


def _enrol(db: Connection, job: Job, chosen: Plan, staging: facts.Staging, report: Report) -> Report:
    """Partners go through the registry, one by one."""
    written, found = enrol_all(db, job.viewer, facts.staged_rows(db, staging))
    differing = _told(chosen, found)
    report = replace(report, rows_written=written, partners_created=written, rows_contradicting=len(differing))
    report = replace(report, rows_repeated=report.rows_read - report.rows_refused - written)
    report = replace(report, contradictions=differing[:LISTED_MAX])
    return replace(report, message=_done(report))


def facts_changed(db: Connection, kind: Kind, chosen: Plan, staging: facts.Staging, source: str) -> None:
    """What a later file may add to rows met before, and what it may replace."""
    fills = [name for name in kind.fills if staging.has(name)]
    if fills:
        facts.fill(db, staging, fills, source=source)
    if kind.replaces:
        facts.replace(db, staging, kind.replaces, kind.key)


def _contradictions(db: Connection, job: Job, chosen: Plan, staging: facts.Staging) -> tuple[int, tuple[BadCell, ...]]:
    compared = [name for name in compared_columns(chosen) if staging.has(name)]
    if not compared:
        return 0, ()
    count, found = facts.contradictions(db, staging, compared, job.kind.key, source=job.source, limit=LISTED_MAX)
    return count, _told(chosen, found)


def _told(chosen: Plan, found: Sequence[tuple[int, list[str]]]) -> tuple[BadCell, ...]:
    """Contradictions in the file's own words."""
    names = {f.stored: chosen.columns.get(f.name, f.name) for f in chosen.kind.fields}
    names["partner_id"] = names.get("partner", "partner")
    told = "This row was taken in before with another value here; the first one stays."
    return tuple(BadCell(line, ", ".join(names.get(c, c) for c in columns), told) for line, columns in found)


def compared_columns(chosen: Plan) -> list[str]:
    """The stored columns in which a repeated row must agree with the first."""
    kind = chosen.kind
    given = [f for f in kind.fields if f.kept and (f.name in chosen.given or f.name == "amount")]
    skipped = {*kind.replaces, *kind.key, "source_id", "ordinal"}
    stored = facts.columns_of(kind.table)
    compared = [f.stored for f in given if f.stored in stored and f.stored not in skipped]
    if "source_id" in chosen.columns:  # other rows are told apart by whom they name: they cannot disagree about it
        named = ("customer", "organization")
        compared += [name for name in named if name in chosen.given and f"{name}_id" in stored]
        compared += ["partner_id"] if "partner" in chosen.given and "partner_id" in stored else []
    return compared


def _remember(db: Connection, job: Job, chosen: Plan) -> None:
    if not job.path:  # frames are told what they are
        return
    choice = {
        "columns": dict(chosen.columns),
        "constants": dict(chosen.constants),
        "kinds": list(chosen.options.kinds),
        "timezone": job.options.timezone,
        "dates": job.options.dates,
        "rounding": job.options.rounding,
    }
    if known_by_their_content(chosen):
        choice["identity"] = list(chosen.identity)
    imports.remember(db, job.kind.name, job.source, choice)


def _refused(db: Connection, job: Job, report: Report) -> Report:
    """Keep the refusal in the history: what was refused, when and why; a dry run leaves no trace."""
    report = replace(report, state="refused", rows_written=0, rows_repeated=0, import_id=None, partners_created=0)
    report = replace(report, customers_created=0, rows_priced=0)
    if job.options.dry_run:
        return report
    import_id = imports.begin(
        db,
        kind=job.kind.name,
        source=job.source,
        file_name=job.file_name,
        options=job.options.to_json(),
        person_id=None if job.viewer.person_id == SYSTEM.person_id else job.viewer.person_id,
    )
    imports.finish(db, import_id, state="refused", message=report.message, counts=_counts(report))
    _audit(db, job, "import.refused", replace(report, import_id=import_id))
    return replace(report, import_id=import_id)


def _audit(db: Connection, job: Job, act: str, report: Report) -> None:
    said = {"kind": job.kind.name, "source": job.source, "file": job.file_name, "message": report.message}
    audit.record(db, job.viewer, act, f"import:{report.import_id}", after={**said, **_counts(report)})


def _report(job: Job, **known: object) -> Report:
    return Report(job.kind.name, job.source, job.file_name, "done" if known.get("import_id") else "refused", **known)  # type: ignore[arg-type]


def _counts(report: Report) -> dict[str, int]:
    names = ("rows_read", "rows_written", "rows_repeated", "rows_refused")
    return {name: getattr(report, name) for name in names}


def _too_bad(refused: RefusedRows) -> str:
    rows = "1 row cannot be kept" if refused.count == 1 else f"{refused.count:,} rows cannot be kept"
    return f"{rows}; nothing was written. First, {refused.listed[0]}"


def _contradicted(cell: BadCell) -> str:
    return f"A known value never changes; nothing was written. First, line {cell.line}: {cell.column}."


def _done(report: Report) -> str:
    said = [f"{report.rows_written:,} written"]
    if report.rows_repeated:
        said.append(f"{report.rows_repeated:,} were there before")
    if report.rows_contradicting:
        said.append(f"{report.rows_contradicting:,} of them say something else now (the first stays)")
    if report.rows_refused:
        said.append(f"{report.rows_refused:,} refused")
    return f"{report.rows_read:,} rows read: {', '.join(said)}."


def settings_of_house() -> Settings:
    """The settings of the open house, or those of the environment where none is open."""
    try:
        return runtime.house().settings
    except RuntimeError:
        return read()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
