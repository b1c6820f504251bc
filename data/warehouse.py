"""The warehouse: this process's own DuckDB copy of the record, questions within a scope, and the proof that it is true.

Its file is derived and disposable: another version of the SQL files, or of DuckDB, begins a new one. One
process holds one file; a feeder thread fills it, and every question runs on a cursor whose temporary views carry
the relations' names over the rows of its scope only (docs/decisions/0004 and 0005).
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import re
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import duckdb
import polars as pl

from data import metrics
from data.feed import FEED_STATE, Feed, Step
from data.metrics import GROUPS, Request
from data.relations import MARTS, RELATIONS, SQL, Mart, Relation

log = logging.getLogger("millrace.warehouse")

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "preserve_insertion_order": "false",
}
POLL_S = 0.05
ANSWERS_MAX = 512
VIEWS: dict[str, Relation | Mart] = {view.name: view for view in (*RELATIONS, *MARTS)}
_WORD = re.compile(r"[a-z0-9_]+")
UNREADABLE = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
"""What DuckDB says of a damaged file, at times long after it was opened: the next start begins a new one."""
SCOPES_MAX = 64
"""So many scopes keep their connections; who asked longest ago gets a new one."""
CURSORS_PER_SCOPE_MAX = 8
ROWS_REMEMBERED_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a question may read: everybody's (None), or those of these partners."""

    partner_ids: frozenset[int] | None

    @property
    def key(self) -> str:
        return "all" if self.partner_ids is None else ",".join(map(str, sorted(self.partner_ids)))


EVERYBODY = Scope(None)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far behind the record the copy is."""

    read_at: float | None  # epoch seconds of the last look at Postgres; None before the first copy
    is_loading: bool
    fault: str

    @property
    def lag_s(self) -> float | None:
        return None if self.read_at is None else max(0.0, time.time() - self.read_at)


class Warehouse:
    """One process's copy. `open` takes a free file, `start` feeds it in the background, `ask` answers."""

    def __init__(self, store: duckdb.DuckDBPyConnection, feed: Feed, house_currency: str, slot: IO[str] | None) -> None:
        self.store = store
        self.feed = feed
        self.house_currency = house_currency
        self._slot = slot
        self._idle: OrderedDict[str, list[Eyes]] = OrderedDict()
        self._guard = threading.Lock()
        self._answers: OrderedDict[Any, pl.DataFrame] = OrderedDict()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.last_step: Step | None = None

    @classmethod
    def open(
        cls, folder: Path, postgres_url: str, *, house_currency: str, memory: str = "4GB", threads: int | None = None
    ) -> Warehouse:
        """The first file in `folder` that no other process holds; made anew when it was built by other SQL."""
        folder.mkdir(parents=True, exist_ok=True)
        slot, path = take_slot(folder)
        config = CONFIG | {"memory_limit": memory} | ({"threads": threads} if threads else {})
        try:
            store = connect(path, config)
        except BaseException:
            slot.close()
            raise
        return cls(store, Feed(postgres_url, store.cursor()), house_currency, slot)

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
        self.feed.disconnect()
        for kept in self._idle.values():
            for eyes in kept:
                eyes.cursor.close()
        self.feed.store.close()
        self.store.close()
        if self._slot is not None:
            self._slot.close()

    # ── feeding ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Feed in the background until closed; a fault is kept for the screens, and tried again."""
        self._thread = threading.Thread(target=self._feed_on, name="millrace-feed", daemon=True)
        self._thread.start()

    def _feed_on(self) -> None:
        pause = POLL_S
        while not self._stop.wait(pause):
            try:
                self.refresh()
                pause = POLL_S
            except Exception as error:
                self.feed.fault = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
                log.warning("the feed could not read Postgres: %s", self.feed.fault)
                pause = min(5.0, pause * 2)

    def refresh(self) -> Step:
        """Copy what was committed since; returns when the copy stands."""
        try:
            step = self.feed.step()
        except UNREADABLE:
            self._distrust()
            raise
        if step.rows or step.reloaded:
            self.last_step = step
        return step

    def _distrust(self) -> None:
        """Have the next start begin a new file."""
        if self._slot is not None:
            broken_mark(self._slot).touch()

    def freshness(self) -> Freshness:
        position = self.feed.position
        return Freshness(position.read_at if position else None, position is None, self.feed.fault)

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, request: Request, scope: Scope) -> pl.DataFrame:
        """The answer as a frame: the columns of `by`, the currency where money is asked, and the metric's own.

        The same question at the same position of the feed is answered from memory.
        """
        metric = metrics.catalogue()[request.metric]
        sql, values = metrics.compose(metric, request, self.house_currency)
        position = self.feed.position
        key = (position.snapshot if position else "", scope.key, sql, tuple(sorted(values.items())))
        with self._guard:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        frame = named(self.run(metrics.spoken_by(sql, "duckdb"), values, scope), request.by)
        if frame.height <= ROWS_REMEMBERED_MAX:
            with self._guard:
                self._answers[key] = frame
                while len(self._answers) > ANSWERS_MAX:
                    self._answers.popitem(last=False)
        return frame

    def run(self, sql: str, values: dict[str, Any], scope: Scope) -> pl.DataFrame:
        """One select on a connection that can see the scope's rows and no others."""
        with self._eyes(scope) as eyes:
            eyes.show(sql)
            return eyes.cursor.sql(sql, params=values).pl()

    @contextmanager
    def _eyes(self, scope: Scope) -> Iterator[Eyes]:
        """A cursor of `scope`; kept for the next question of the same scope."""
        with self._guard:
            idle = self._idle.get(scope.key)
            eyes = idle.pop() if idle else None
        eyes = eyes or Eyes(self.store.cursor(), scope)
        try:
            yield eyes
        except duckdb.Error as error:
            eyes.cursor.close()
            if isinstance(error, UNREADABLE):
                self._distrust()
            raise
        self._keep(eyes)

    def _keep(self, eyes: Eyes) -> None:
        """Have the cursor ready for the next question of its scope; close those that are too many."""
        with self._guard:
            kept = self._idle.setdefault(eyes.scope.key, [])
            self._idle.move_to_end(eyes.scope.key)
            kept.append(eyes)
            surplus = kept[CURSORS_PER_SCOPE_MAX:]
            del kept[CURSORS_PER_SCOPE_MAX:]
            if len(self._idle) > SCOPES_MAX:
                surplus += self._idle.popitem(last=False)[1]
            if self._stop.is_set():
                surplus += self._idle.pop(eyes.scope.key, [])
        for old in surplus:
            old.cursor.close()


@dataclass
class Eyes:
    """A cursor that can say the relations' names only over the rows of one scope; it has no other way to say them.

    A view is made when a question first names it: all of them take ten milliseconds, a question needs two or three.
    """

    cursor: duckdb.DuckDBPyConnection
    scope: Scope
    shown: set[str] = field(default_factory=set)

    def show(self, sql: str) -> None:
        """Make the views that `sql` names, and first those that they stand on."""
        for name in set(_WORD.findall(sql)) & VIEWS.keys() - self.shown:
            if name in self.shown:  # another that was just made stands on it
                continue
            self.shown.add(name)
            view = VIEWS[name]
            body = relation_sql(view, self.scope) if isinstance(view, Relation) else mart_sql(view, self.scope)
            self.show(body)
            self.cursor.execute(f"create or replace temp view {name} as {body}")


def named(frame: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    """Groups by the names that were asked, and no others; money's own currency serves as that group."""
    asked = {group: name for group, name in zip(GROUPS, by, strict=False) if name not in frame.columns}
    frame = frame.drop([group for group in GROUPS if group in frame.columns and group not in asked])
    return frame.rename({group: name for group, name in asked.items() if group in frame.columns})


def relation_sql(relation: Relation, scope: Scope) -> str:
    """The rows of one relation within a scope."""
    rows = f"select * from staging.{relation.name}"
    if scope.partner_ids is None or relation.owner == "anybody":
        return rows
    if relation.owner == "staff" or not scope.partner_ids:
        return f"{rows} where false"
    return f"{rows} where {relation.owner} in ({', '.join(str(int(i)) for i in sorted(scope.partner_ids))})"


def mart_sql(mart: Mart, scope: Scope) -> str:
    """A mart within a scope: its stored cells, or the same select over the scope's own facts."""
    if not mart.is_stored:
        return mart.sql
    if scope.partner_ids is None:
        return f"select * from marts.{mart.name}"
    if mart.keyed_by_partner and scope.partner_ids:
        ids = ", ".join(str(int(i)) for i in sorted(scope.partner_ids))
        return f"select * from marts.{mart.name} where partner_id in ({ids})"
    return mart.sql


def take_slot(folder: Path) -> tuple[IO[str], Path]:
    """A file of this version that nobody holds; files of other versions, held by nobody, are swept away."""
    build = build_id()
    for number in range(64):
        lock = (folder / f"{number}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        for old in folder.glob(f"{number}-*.duckdb*"):
            if broken_mark(lock).exists() or not old.name.startswith(f"{number}-{build}."):
                sweep(old)
        broken_mark(lock).unlink(missing_ok=True)
        return lock, folder / f"{number}-{build}.duckdb"
    raise RuntimeError(f"64 processes hold a warehouse under {folder}")


def sweep(old: Path) -> None:
    """A file of a former copy, its log, or the folder that a query spilled into when its process was killed."""
    if old.is_dir():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)


def broken_mark(slot: IO[str]) -> Path:
    """Stands beside a file that proved unreadable while it was in use."""
    return Path(slot.name).with_suffix(".broken")


def build_id() -> str:
    """Names what the file was built by: DuckDB's version, the staging and mart files, and the relations."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    sources = [*sorted((SQL / "staging").glob("*.sql")), *sorted((SQL / "marts").glob("*.sql"))]
    for path in [
        *sources,
        Path(__file__).with_name("relations.py"),
        *map(Path(__file__).with_name, ("feed.py", "marts.py")),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def connect(path: Path, config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Open the file; one that a crash or another build left unreadable is thrown away: it is only a copy."""
    try:
        store = opened(path, config)
    except duckdb.Error as error:
        log.warning("the warehouse begins anew: %s", str(error).splitlines()[0][:200])
        for part in (path, path.with_name(path.name + ".wal")):
            part.unlink(missing_ok=True)
        store = opened(path, config)
    store.execute("set global TimeZone = 'UTC'")
    store.execute("set lock_configuration = true")
    return store


def opened(path: Path, config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """The file, once its position can be read; closed again where it cannot: an open handle would hold the old file."""
    store = duckdb.connect(str(path), config=config)
    try:
        store.execute(FEED_STATE)
        store.execute("select snapshot, cluster, read_at from feed_state").fetchall()
    except BaseException:
        store.close()
        raise
    return store
