"""The demo business on its way in: through the same doors as anybody's facts, so that every rule sees it.

It is loaded in steps, each a transaction that also notes that it is done. Whatever dies in the middle, the next
start goes on with the step that was not finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection

from core import runtime
from core.errors import Conflict
from core.growth import annotations as notes
from core.intake.load import load_frame
from core.money import exact, minor_of
from core.partners import codes, programs, registry
from core.partners.programs import Terms
from core.periods import now
from core.viewer import SYSTEM, Viewer, require
from data import demo
from data.store import demo as store

Progress = Callable[[int, int, str], None]
"""Called with the rows loaded so far, how many there are in all, and of what kind the next ones are."""

STEP_ROWS = 50_000
PARTNER = "pixelwick"
"""The partner whose eyes the demo's partner sign-in has: the largest affiliate."""


class HouseInUse(Conflict):
    """There are real sales here; invented ones would spoil them."""

    code = "house_in_use"


@dataclass(frozen=True, slots=True)
class Demo:
    """Which demo it is, and how far it has come."""

    today: date
    seed: int
    scale: float
    steps: int = 0
    is_done: bool = False

    @property
    def detail(self) -> dict[str, Any]:
        return {"seed": self.seed, "scale": self.scale, "steps": self.steps}


def load(
    transaction: Callable[[], AbstractContextManager[Connection]] = runtime.transaction,
    viewer: Viewer = SYSTEM,
    *,
    today: date | None = None,
    scale: float = 1.0,
    progress: Progress = lambda done, total, what: None,
) -> bool:
    """Load the demo business up to `today`, or what is missing of it; False when all of it was there.

    A demo that was begun on another day is finished as that day's. Refuses a house that has other sales.
    """
    require(viewer, "admin")
    at = now()
    with transaction() as db:
        wanted = _begin(db, Demo(today or at.date(), demo.SEED, scale))
    if wanted.is_done:
        return False
    frames = list(demo.business(wanted.today, seed=wanted.seed, scale=wanted.scale))
    total = sum(frame.height for _, frame in frames)
    loaded = 0
    for number, (kind, rows, size) in enumerate(_steps(frames, until=at)):
        progress(loaded, total, kind)
        with transaction() as db:
            if store.hold(db, wanted.today) <= number:
                _load(db, viewer, kind, rows, wanted.today)
                store.note(db, wanted.today, wanted.detail | {"steps": number + 1})
        loaded += size
    with transaction() as db:
        done = store.hold(db, wanted.today)
        store.note(db, wanted.today, wanted.detail | {"steps": done, "rows": total}, is_done=True)
    progress(total, total, "done")
    return True


def is_loaded(db: Connection) -> bool:
    """Whether all of the demo is here."""
    row = store.begun(db)
    return row is not None and row["state"] == "done"


def _begin(db: Connection, wanted: Demo) -> Demo:
    """The demo that was begun here before, else the wanted one, begun now."""
    row = store.begun(db)
    if row is not None:
        detail = row["detail"]
        return Demo(row["business_day"], detail["seed"], detail["scale"], detail["steps"], row["state"] == "done")
    if store.has_other_sales(db, demo.SOURCE):
        raise HouseInUse(
            "There are sales here already, and the demo's are invented; load it into an empty house,"
            " with another MILLRACE_HOME or DATABASE_URL."
        )
    store.begin(db, wanted.today, wanted.detail)
    return wanted


def _steps(frames: list[tuple[str, pl.DataFrame]], *, until: datetime) -> Iterator[tuple[str, pl.DataFrame, int]]:
    """The frames in pieces: always the same ones, but for what has not happened yet."""
    while frames:
        kind, frame = frames.pop(0)
        for start in range(0, frame.height, STEP_ROWS):
            piece = frame.slice(start, STEP_ROWS)
            yield kind, _past(piece, until), piece.height


def _past(rows: pl.DataFrame, until: datetime) -> pl.DataFrame:
    return rows.filter(pl.col("at") <= until) if "at" in rows.columns else rows


def _load(db: Connection, viewer: Viewer, kind: str, rows: pl.DataFrame, today: date) -> None:
    by_hand = _BY_HAND.get(kind)
    if by_hand:
        for row in rows.iter_rows(named=True):
            by_hand(db, viewer, row, today)
    elif rows.height:
        load_frame(db, viewer, kind, rows, source=demo.SOURCE)


# ── what no file carries ───────────────────────────────────────────────────────────────────────────────────────────

Row = dict[str, Any]


def _program(db: Connection, viewer: Viewer, row: Row, _: date) -> None:
    currency = row["currency"]
    terms = Terms(
        hold_days=row["hold_days"],
        minimum_minor=minor_of(exact(row["minimum"]), currency),
        payday=row["payday"],
        approval_limit_minor=minor_of(exact(row["approval_limit"]), currency),
        attribution_days=row["attribution_days"],
        share_bps=int(exact(row["share"]) * 100),
    )
    named = {name: row[name] for name in ("code", "name", "currency", "timezone")}
    programs.open_program(db, viewer, **named, terms=terms)


def _group(db: Connection, viewer: Viewer, row: Row, _: date) -> None:
    currency, minimum = row["currency"], row["minimum"]
    minor = minor_of(exact(minimum), currency) if minimum else None
    programs.make_group(db, viewer, code=row["code"], name=row["name"], minimum_minor=minor, currency=currency)


def _details(db: Connection, viewer: Viewer, row: Row, _: date) -> None:
    partner = _partner(db, viewer, row["code"])
    metadata = {"bank_fingerprint": row["bank_fingerprint"]}
    registry.change(db, viewer, partner["id"], partner["version"], {"metadata": metadata})


def _code(db: Connection, viewer: Viewer, row: Row, _: date) -> None:
    partner = _partner(db, viewer, row.pop("partner"))
    codes.issue(db, viewer, partner["id"], **row)


def _annotation(db: Connection, viewer: Viewer, row: Row, today: date) -> None:
    notes.add(db, viewer, row["day"], row["label"], today=today)


def _ending(db: Connection, viewer: Viewer, row: Row, _: date) -> None:
    partner = _partner(db, viewer, row["code"])
    act = registry.suspend if row["status"] == "suspended" else registry.terminate
    act(db, viewer, partner["id"], partner["version"], row["reason"])


def _partner(db: Connection, viewer: Viewer, code: str) -> Row:
    return dict(registry.one(db, viewer, registry.ids_of(db, [code])[code]))


_BY_HAND: dict[str, Callable[[Connection, Viewer, Row, date], None]] = {
    "programs": _program,
    "groups": _group,
    "details": _details,
    "codes": _code,
    "annotations": _annotation,
    "endings": _ending,
}
