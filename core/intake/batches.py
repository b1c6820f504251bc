"""A batch of rows on its way in: read cell by cell, decided row by row, resolved against the registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl
from sqlalchemy import Connection

from core.intake.cells import Given, trimmed
from core.intake.fields import Kind, Rows
from core.intake.files import Batch
from core.intake.mapping import Plan
from core.intake.partners import refuse_unknown
from core.intake.report import BadCell, RefusedRows, reason_of
from core.intake.rules import business_days, digests
from core.partners import clicks, registry
from core.partners.rules import normal_code
from core.viewer import Viewer
from data.store import facts
from data.tables import metadata

NO_PARTNER = "There is no partner {}; register it, or let the import create partners."
NUL = "The text holds a NUL byte."


@dataclass(slots=True)
class Names:
    """What files call partners, codes and experiments, as the ids of the record; asked once per import. Also what
    there is to say about the rows that went by."""

    db: Connection
    viewer: Viewer
    create_partners: bool
    zone: str
    partners: dict[str, int | None] = field(default_factory=dict)
    created: int = 0
    notes: set[str] = field(default_factory=set)
    _zones: dict[int, str] | None = None

    def partner_ids(self, texts: Iterable[str]) -> Mapping[str, int | None]:
        """The ids of these partners; unknown ones are None, or enrolled as pending where that was chosen."""
        new = [text for text in texts if text not in self.partners]
        if new:
            known: dict[str, int | None] = dict(registry.ids_of(self.db, new))
            unknown = [text for text in new if text not in known]
            if unknown and self.create_partners:
                enrolled = registry.enrol_unknown(self.db, self.viewer, unknown)
                self.created += len(set(enrolled.values()))
                known |= enrolled
            self.partners |= dict.fromkeys(new) | known
        return self.partners

    def zones(self) -> Mapping[int, str]:
        """Partner id → the zone of its program."""
        if self._zones is None:
            self._zones = facts.zones(self.db)
        return self._zones


def staged_columns(plan: Plan) -> tuple[str, ...]:
    """The columns of the staging table for this plan."""
    kind = plan.kind
    target = metadata.tables[kind.table].c
    names = [f.stored for f in kind.fields if f.kept and (f.name in plan.given or f.default not in (None, ""))]
    derived = ["amount_minor"] if "price" in plan.given else []
    resolved = [name for name in ("partner_id",) if "partner" in kind.names and name in target]
    if kind.table == "sale":
        resolved += ["kind", "attribution", "attribution_note"]
    if "business_day" in target and "at" in kind.names:
        resolved.append("business_day")
    if kind.table == "event":
        resolved += ["ordinal", "properties"]
    if kind.table == "click":
        resolved += ["partner_id", "referral_code_id"]
    if kind.table in ("assignment", "exposure"):
        resolved.append("experiment_id")
    return tuple(dict.fromkeys([*names, *derived, *resolved]))


def read(batch: Batch, plan: Plan, given: Given, names: Names, refused: RefusedRows) -> pl.DataFrame:
    """The rows of a batch that can be kept, as the staging table wants them; the others go to `refused`."""
    for cells, bad in batch.ragged:
        refused.add(batch.cells.columns, cells, [bad])
    rows = Rows(batch.lines, cells_of(batch, plan))
    read_fields(rows, plan, given)
    plan.kind.decide(rows, plan.options, given)
    resolve(rows, plan.kind, names)
    names.notes |= rows.notes
    good = keep_good(rows, batch, plan, refused)
    return finished(rows, good, batch, plan, names)


def cells_of(batch: Batch, plan: Plan) -> dict[str, pl.Series]:
    """Each given field as a column of trimmed text."""
    cells = {ours: trimmed(batch.cells[theirs]) for ours, theirs in plan.columns.items()}
    size = len(batch.lines)
    for ours, value in plan.constants.items():
        cells[ours] = pl.repeat(value.strip(), size, dtype=pl.String, eager=True)
    return cells


def read_fields(rows: Rows, plan: Plan, given: Given) -> None:
    for field_ in plan.kind.fields:
        if not rows.has(field_.name):
            if field_.kept and field_.default not in (None, ""):
                rows.put(field_.stored, pl.lit(field_.default))
            continue
        cells = rows.cells[field_.name]
        found = field_.read(cells, rows.values, given)
        rows.notes |= {found.note} - {""}
        for mask, reason in found.refused:
            rows.refuse(field_.name, mask.fill_null(False) & cells.is_not_null(), reason)
        rows.refuse(field_.name, cells.str.contains("\0", literal=True), NUL)
        if field_.required:
            rows.refuse(field_.name, cells.is_null(), "The cell is empty; every row needs it.")
        values = found.values if field_.default is None else found.values.fill_null(field_.default)
        rows.put(field_.stored, values)
    if plan.kind.needs_one_of:
        nobody = pl.all_horizontal(rows.cells[n].is_null() for n in plan.kind.needs_one_of if rows.has(n))
        rows.refuse("", nobody, f"The row names no {' and no '.join(plan.kind.needs_one_of)}.")


# ── names ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def resolve(rows: Rows, kind: Kind, names: Names) -> None:
    if kind.table == "click":
        _resolve_codes(rows, names)
    elif "partner" in kind.names:
        _resolve_partners(rows, names)
    if kind.table in ("assignment", "exposure"):
        _resolve_experiments(rows, names)
    if kind.table == "partner":
        _refuse_unknown_terms(rows, names)


def _resolve_partners(rows: Rows, names: Names) -> None:
    if not rows.has("partner"):
        rows.put("partner_id", pl.lit(None, pl.Int64))
        return
    cells = rows.cells["partner"]
    bad = rows.bad()
    asked = cells if bad is None or not names.create_partners else cells.filter(~bad)  # a refused row enrols nobody
    ids = names.partner_ids(asked.drop_nulls().unique().to_list())
    found = cells.replace_strict(ids, default=None, return_dtype=pl.Int64)
    unknown = found.is_null() & cells.is_not_null()
    rows.refuse("partner", unknown & ~bad if bad is not None and names.create_partners else unknown, NO_PARTNER)
    rows.put("partner_id", found)


def _resolve_codes(rows: Rows, names: Names) -> None:
    cells = rows.cells["referral_code"]
    texts = cells.drop_nulls().unique().to_list()
    known = facts.referral_codes(names.db, [normal_code(text) for text in texts])
    found = {text: known[normal_code(text)] for text in texts if normal_code(text) in known}
    for column, position in (("referral_code_id", 0), ("partner_id", 1)):
        ids = {text: pair[position] for text, pair in found.items()}
        rows.put(column, cells.replace_strict(ids, default=None, return_dtype=pl.Int64))
    rows.refuse("referral_code", rows.values["partner_id"].is_null() & cells.is_not_null(), "There is no code {}.")


def _resolve_experiments(rows: Rows, names: Names) -> None:
    cells = rows.cells["experiment"]
    found = cells.replace_strict(facts.experiments(names.db), default=None, return_dtype=pl.Int64)
    rows.refuse("experiment", found.is_null() & cells.is_not_null(), "There is no experiment {}.")
    rows.put("experiment_id", found)


def _refuse_unknown_terms(rows: Rows, names: Names) -> None:
    for name in ("group", "program"):
        if rows.has(name):
            cells = rows.cells[name]
            unknown = refuse_unknown(names.db, names.viewer, name, cells.drop_nulls().unique().to_list())
            rows.refuse(name, cells.is_in(unknown), f"There is no {name} {{}}; make it first, or leave it empty.")


# ── good and bad ───────────────────────────────────────────────────────────────────────────────────────────────────


def keep_good(rows: Rows, batch: Batch, plan: Plan, refused: RefusedRows) -> pl.Series | None:
    """Hand the refused rows over, each with every cell that is to blame; answers which rows are good."""
    bad = rows.bad()
    if bad is None:
        return None
    blame: dict[int, list[BadCell]] = {n: [] for n in bad.arg_true().to_list()}
    lines = rows.values["line"]
    for name, reasons in rows.refused.items():
        cells = rows.cells.get(name)
        column = plan.columns.get(name, name)
        for mask, reason in reasons:
            for n in mask.arg_true().to_list():
                blame[n].append(BadCell(lines[n], column, reason_of(reason, cells[n] if cells is not None else "")))
    originals = batch.cells.filter(bad).rows()
    for original, cells_to_blame in zip(originals, blame.values(), strict=True):
        refused.add(batch.cells.columns, original, cells_to_blame)
    return ~bad


def finished(rows: Rows, good: pl.Series | None, batch: Batch, plan: Plan, names: Names) -> pl.DataFrame:
    """The good rows with whose they are, their day and their identity."""

    def kept(column: pl.Series) -> pl.Series:
        return column if good is None else column.filter(good)

    frame = rows.values if good is None else rows.values.filter(good)
    cells = {name: kept(column) for name, column in rows.cells.items()}
    kind, target = plan.kind, metadata.tables[plan.kind.table].c
    if kind.table == "sale":
        coded = [cells[name].alias(name) for name in ("referral_code", "coupon", "visitor") if name in cells]
        frame = clicks.attribute(names.db, frame.with_columns(coded))
    if "business_day" in target and "at" in frame.columns:
        frame = frame.with_columns(business_days(frame["at"], _zones(frame, names)))
    if kind.table == "event":
        if "ordinal" not in frame.columns:
            frame = frame.with_columns(pl.col("line").alias("ordinal"))
        frame = frame.with_columns(_properties(batch, plan, good))
    frame = frame.with_columns(*_identity(cells, plan, frame))
    return frame.select("line", "source_id", "digest", *staged_columns_in(frame, plan))


def staged_columns_in(frame: pl.DataFrame, plan: Plan) -> list[str]:
    return [name for name in staged_columns(plan) if name in frame.columns and name not in ("source_id",)]


def _zones(frame: pl.DataFrame, names: Names) -> pl.Series:
    house = pl.repeat(names.zone, len(frame), dtype=pl.String, eager=True)
    if "partner_id" not in frame.columns or not names.zones():
        return house
    return frame["partner_id"].replace_strict(names.zones(), default=names.zone, return_dtype=pl.String)


def _properties(batch: Batch, plan: Plan, good: pl.Series | None) -> pl.Series:
    """The columns that no field took, as JSON of texts; empty cells are left out when it is stored."""
    frame = batch.cells if good is None else batch.cells.filter(good)
    if not plan.extras:
        return pl.repeat("{}", len(frame), dtype=pl.String, eager=True).alias("properties")
    texts = [trimmed(frame[name]).str.replace_all("\0", "", literal=True).alias(name) for name in plan.extras]
    return pl.DataFrame(texts).select(pl.struct(pl.all()).struct.json_encode().alias("properties")).to_series()


def _identity(cells: Mapping[str, pl.Series], plan: Plan, frame: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """The source's own id, else the digest of what the file says; kinds with a key of their own are known by it."""
    if plan.kind.key != ("source", "source_id"):
        parts = [pl.col(name).cast(pl.String).fill_null("") for name in plan.kind.key if name in frame.columns]
        key = frame.select(pl.concat_str(parts, separator="\x1f").alias("source_id")).to_series()
        return key, pl.Series("digest", [None] * len(frame), dtype=pl.String)
    own = cells.get("source_id", pl.Series([None] * len(frame), dtype=pl.String)).alias("source_id")
    if own.null_count() == 0:
        return own, pl.Series("digest", [None] * len(frame), dtype=pl.String)
    hashed = digests({name: cells[name] for name in plan.identity if name != "source_id"})
    return own, pl.DataFrame([own, hashed]).select(
        pl.when(pl.col("source_id").is_null()).then(pl.col("digest")).alias("digest")
    ).to_series()
