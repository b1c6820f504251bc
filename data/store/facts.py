"""Facts on their way in: a staging table per import, and the statements that make rows of the record of it.

Every statement works on the whole set. The staging table is temporary: it goes with the transaction, so that an
import that dies leaves nothing. Facts met before are left as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import polars as pl
from psycopg import sql
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    MetaData,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, array, distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.schema import CreateTable

from data.store import rates
from data.store.rates import HouseCurrency
from data.tables import customer, experiment, metadata, organization, partner, program, rate, referral_code, sale

STAGED = "staged"
ORDER = ("line", "source_id", "digest")
DERIVED = frozenset({"id", "xid", "source", "created_at", "import_id"})
"""Columns that no file fills."""


@dataclass(frozen=True, slots=True)
class Staging:
    """The staging table of one import: its columns are the target's of the same names, others are text."""

    table: Table
    target: Table

    def has(self, *names: str) -> bool:
        return all(name in self.table.c for name in names)


# ── staging ────────────────────────────────────────────────────────────────────────────────────────────────────────


def hold_source(db: Connection, source: str, *, brings_rates: bool) -> None:
    """Imports of one source take turns: they create the same customers. So do rates and everything else: amounts that
    are on their way in while a rate arrives would wait for it for ever."""
    turn = func.pg_advisory_xact_lock if brings_rates else func.pg_advisory_xact_lock_shared
    db.execute(select(turn(func.hashtextextended("millrace rates", 0))))
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"millrace import {source}", 0))))


def stage(db: Connection, target: str, columns: Sequence[str]) -> Staging:
    """An empty staging table for rows of `target` with these columns."""
    table = metadata.tables[target]
    db.execute(text("drop table if exists pg_temp.staged"))
    staged = Table(
        STAGED,
        MetaData(),
        Column("line", BigInteger),
        Column("source_id", Text),
        Column("digest", Text),
        *(Column(name, table.c[name].type if name in table.c else Text) for name in columns if name not in ORDER),
        prefixes=["temporary"],
        postgresql_on_commit="drop",
    )
    db.execute(CreateTable(staged))
    return Staging(staged, table)


def add(db: Connection, staging: Staging, rows: pl.DataFrame) -> None:
    """Append rows; their columns are the staging table's, in any order."""
    names = [column.name for column in staging.table.c if column.name in rows.columns]
    buffer = BytesIO()
    rows.select(names).write_csv(buffer, include_header=False)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("copy pg_temp.staged ({}) from stdin (format csv)").format(columns)
    with _psycopg(db).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(buffer.getbuffer())


def _psycopg(db: Connection) -> Any:
    return db.connection.driver_connection


def staged_rows(db: Connection, staging: Staging) -> list[Mapping[str, Any]]:
    """The staged rows in the order of the file; for kinds of which there are few."""
    rows = db.execute(select(staging.table).order_by(staging.table.c.line)).mappings()
    return [dict(row) for row in rows]


def columns_of(target: str) -> list[str]:
    return list(metadata.tables[target].c.keys())


# ── from staging to the record ─────────────────────────────────────────────────────────────────────────────────────


def settle(db: Connection, staging: Staging, *, source: str, import_id: int, house: HouseCurrency) -> int:
    """Write the staged rows that are new; answers how many. Rows that take back a sale come after the others."""
    db.execute(text("analyze pg_temp.staged"))
    _count_identical(db)
    staged = staging.table
    if not staging.has("refunds_source_id"):
        return _write(db, staging, staged.c.line.is_not(None), source, import_id, house)
    takes_back = staged.c.refunds_source_id.is_not(None)
    written = _write(db, staging, ~takes_back, source, import_id, house)
    _inherit(db, staged, source)
    return written + _write(db, staging, takes_back, source, import_id, house)


def _count_identical(db: Connection) -> None:
    """Number the rows that share an id or a digest, in the order of the file."""
    db.execute(text("drop table if exists pg_temp.alike"))
    db.execute(
        text(
            """
            create temporary table alike on commit drop as
            with known as (
                select line, coalesce('=' || source_id, digest) as same from pg_temp.staged
            ),
            several as (
                select same from known group by same having count(*) > 1
            )
            select line, row_number() over (partition by same order by line) as occurrence
            from known
            join several using (same)
            """
        )
    )
    db.execute(text("analyze pg_temp.alike"))


_alike = Table("alike", MetaData(), Column("line", BigInteger), Column("occurrence", BigInteger))


def _identified(staged: Table) -> tuple[Any, ColumnElement[str], ColumnElement[int]]:
    """The staged rows with their occurrence, their id within the source, and the occurrence."""
    occurrence = func.coalesce(_alike.c.occurrence, 1)
    own_or_hash = func.coalesce(staged.c.source_id, staged.c.digest + literal("-") + cast(occurrence, Text))
    return staged.outerjoin(_alike, _alike.c.line == staged.c.line), own_or_hash, occurrence


def _write(
    db: Connection,
    staging: Staging,
    which: ColumnElement[bool],
    source: str,
    import_id: int,
    house: HouseCurrency,
) -> int:
    staged, target = staging.table, staging.target
    rows, identity, occurrence = _identified(staged)
    chosen: dict[str, Any] = {column.name: column for column in staged.c if _is_direct(column.name, target)}
    if "source_id" in target.c:
        chosen |= {"source": literal(source), "source_id": identity}
    if "properties" in chosen:
        chosen["properties"] = func.jsonb_strip_nulls(staged.c.properties)
    if "import_id" in target.c:
        chosen["import_id"] = literal(import_id)
    if target is rate:
        chosen["source"] = (
            func.coalesce(staged.c.rate_source, source) if staging.has("rate_source") else literal(source)
        )
    if staging.has("customer") and "customer_id" in target.c:
        rows, chosen["customer_id"] = _joined(rows, customer, source, staged.c.customer)
    if staging.has("organization") and "organization_id" in target.c:
        rows, chosen["organization_id"] = _joined(rows, organization, source, staged.c.organization)
    taken = sale.alias("taken")
    if staging.has("refunds_source_id"):
        rows, chosen["refunds"] = _joined(rows, taken, source, staged.c.refunds_source_id)
    if "house_minor" in target.c:
        found = _priced(staged, house)
        rows = rows.outerjoin(found, _same_day(found, staged))
        chosen["house_minor"], chosen["rate_id"] = _in_house_currency(staging, found, taken, house)
    first = or_(staged.c.source_id.is_(None), occurrence == 1)
    found_rows = select(*(value.label(name) for name, value in chosen.items())).select_from(rows).where(which, first)
    found_rows = found_rows.order_by(staged.c.line)
    new = insert_or(target).from_select(list(chosen), found_rows).on_conflict_do_nothing()
    return _written(db, new)


def _written(db: Connection, statement: Any) -> int:
    return int(db.execute(statement.execution_options(preserve_rowcount=True)).rowcount)


def _is_direct(name: str, target: Table) -> bool:
    return name in target.c and name not in DERIVED and name not in ORDER


def _joined(rows: Any, table: Any, source: str, named: ColumnElement[str]) -> tuple[Any, Any]:
    """The rows with the one of the same source that they name, and its id."""
    return rows.outerjoin(table, and_(table.c.source == source, table.c.source_id == named)), table.c.id


def _priced(staged: Table, house: HouseCurrency) -> Any:
    days = select(staged.c.currency, staged.c.business_day).where(staged.c.currency != house.code).distinct()
    return rates.priced(days.subquery("days"), house)


def _same_day(found: Any, staged: Table) -> ColumnElement[bool]:
    return and_(found.c.currency == staged.c.currency, found.c.business_day == staged.c.business_day)


def _in_house_currency(staging: Staging, found: Any, taken: Any, house: HouseCurrency) -> tuple[Any, Any]:
    """The amount at the rate of the row's day, and that rate. What takes back a known sale takes its rate, as soon as
    it has one: `rates.lock_linked` comes next."""
    staged = staging.table
    own = staged.c.currency == house.code
    amount = rates.converted(staged.c.amount_minor, found.c.numerator, found.c.denominator)
    waits: Any = literal(False)
    if staging.has("refunds_source_id"):
        waits = func.coalesce(taken.c.currency == staged.c.currency, literal(False))
    minor = case((own, staged.c.amount_minor), (waits, null()), else_=amount)
    return minor, case((own, null()), (waits, null()), (amount.is_(None), null()), else_=found.c.rate_id)


def _inherit(db: Connection, staged: Table, source: str) -> None:
    """Staged rows that take back a known sale, and name no partner, are that sale's partner's."""
    known = (
        select(sale.c.source_id, sale.c.partner_id, sale.c.attribution, sale.c.attribution_note, program.c.timezone)
        .select_from(
            sale.join(partner, partner.c.id == sale.c.partner_id).outerjoin(
                program, program.c.id == partner.c.program_id
            )
        )
        .where(sale.c.source == source)
        .subquery("known")
    )
    local = cast(func.timezone(known.c.timezone, staged.c.at), Date)
    db.execute(
        update(staged)
        .values(
            partner_id=known.c.partner_id,
            attribution=known.c.attribution,
            attribution_note=known.c.attribution_note,
            business_day=func.coalesce(local, staged.c.business_day),
        )
        .where(staged.c.refunds_source_id == known.c.source_id, staged.c.attribution == "none")
    )


def link_waiting(db: Connection, source: str) -> int:
    """Link the rows that take back a sale which has arrived by now; they join its partner where they had none, and
    leave a rate of their own for its rate (`rates.lock_linked` comes next)."""
    taken = sale.alias("taken")
    is_nobodys = sale.c.attribution == "none"
    leaves_rate = and_(sale.c.rate_id.is_not(None), taken.c.currency == sale.c.currency)

    def theirs(name: str) -> Any:
        return case((is_nobodys, taken.c[name]), else_=sale.c[name])

    changed = db.execute(
        update(sale)
        .values(
            refunds=taken.c.id,
            partner_id=theirs("partner_id"),
            attribution=theirs("attribution"),
            attribution_note=theirs("attribution_note"),
            house_minor=case((leaves_rate, null()), else_=sale.c.house_minor),
            rate_id=case((leaves_rate, null()), else_=sale.c.rate_id),
        )
        .where(
            sale.c.source == source,
            sale.c.refunds.is_(None),
            sale.c.refunds_source_id.is_not(None),
            taken.c.source == source,
            taken.c.source_id == sale.c.refunds_source_id,
            taken.c.id != sale.c.id,
        )
    )
    return int(changed.rowcount)


# ── who buys ───────────────────────────────────────────────────────────────────────────────────────────────────────


def add_organizations(db: Connection, staging: Staging, *, source: str, import_id: int) -> int:
    """Organizations that the staged rows name and that are not known yet; they are called by their id until told."""
    named = staging.table.c.organization
    new = select(literal(source), named, named, literal(import_id)).where(named.is_not(None)).distinct()
    into = insert_or(organization).from_select(["source", "source_id", "name", "import_id"], new)
    return _written(db, into.on_conflict_do_nothing())


def add_customers(db: Connection, staging: Staging, *, source: str, import_id: int) -> int:
    """Customers that the staged rows name and that are not known yet, as the first such row describes them."""
    staged = staging.table
    named = staged.c.customer
    known = select(literal(1)).where(customer.c.source == source, customer.c.source_id == named).exists()
    described = {"name": "customer_name", "email": "customer_email"}
    columns: dict[str, Any] = {ours: staged.c[theirs] for ours, theirs in described.items() if staging.has(theirs)}
    if staging.has("country"):
        columns["country"] = func.coalesce(staged.c.country, "")
    rows: Any = staged
    if staging.has("organization"):
        rows, columns["organization_id"] = _joined(rows, organization, source, staged.c.organization)
    values = (literal(source).label("source"), named.label("source_id"), literal(import_id).label("import_id"))
    first = select(*values, *columns.values()).select_from(rows).where(named.is_not(None), ~known)
    first = first.ext(distinct_on(named)).order_by(named, staged.c.line) if columns else first.distinct()
    into = insert_or(customer).from_select(["source", "source_id", "import_id", *columns], first)
    return _written(db, into.on_conflict_do_nothing())


# ── rows met before ────────────────────────────────────────────────────────────────────────────────────────────────


def contradictions(
    db: Connection,
    staging: Staging,
    compared: Sequence[str],
    key: Sequence[str],
    *,
    source: str,
    limit: int,
) -> tuple[int, list[tuple[int, list[str]]]]:
    """Staged rows that were met before with other content: how many, and the first with the columns that differ."""
    found = _differing(staging, compared, key, source)
    names = _staged_names(found, compared)
    count = db.execute(select(func.count()).select_from(found)).scalar_one()
    rows = db.execute(select(found.c.line, names).order_by(found.c.line).limit(limit)).all() if count else []
    return int(count), [(line, list(columns)) for line, columns in rows]


def _differing(staging: Staging, compared: Sequence[str], key: Sequence[str], source: str) -> Any:
    staged, target = staging.table, staging.target
    rows, identity, _ = _identified(staged)
    rows = rows.join(target, _same(staged, target, identity, key, source))
    for table in (customer, organization):
        if table.name in compared:
            rows = rows.outerjoin(table, table.c.id == target.c[f"{table.name}_id"])
    differs = {name: _says_otherwise(staging, name) for name in compared}
    return (
        select(staged.c.line, *(test.label(f"differs_{name}") for name, test in differs.items()))
        .select_from(rows)
        .where(or_(*differs.values()))
        .subquery("differing")
    )


def _says_otherwise(staging: Staging, name: str) -> ColumnElement[bool]:
    """Whether a staged row disagrees with the stored one. Who is not named now was not denied: a refund has its
    sale's partner, and a click may have told whose a sale is."""
    staged, target = staging.table, staging.target
    if name in (customer.name, organization.name):
        known = customer if name == customer.name else organization
        return and_(staged.c[name].is_not(None), staged.c[name].is_distinct_from(known.c.source_id))
    differs = staged.c[name].is_distinct_from(target.c[name])
    if name == "partner_id" and staging.has("attribution"):
        return and_(staged.c.attribution == "explicit", differs)
    if name == "partner_id":
        return and_(staged.c.partner_id.is_not(None), differs)
    return differs


def _staged_names(found: Any, compared: Sequence[str]) -> Any:
    marks: list[Any] = [case((found.c[f"differs_{name}"], literal(name)), else_=null()) for name in compared]
    return func.array_remove(array(marks, type_=Text), cast(null(), Text), type_=ARRAY(Text))


def _same(staged: Table, target: Table, identity: Any, key: Sequence[str], source: str) -> ColumnElement[bool]:
    if "source_id" in target.c:
        return and_(target.c.source == source, target.c.source_id == identity)
    return and_(*(target.c[name].is_not_distinct_from(staged.c[name]) for name in key))


def fill(db: Connection, staging: Staging, columns: Sequence[str], *, source: str) -> int:
    """Give rows met before what they lacked: a customer that a sale named gets its name from the list of customers."""
    staged, target = staging.table, staging.target
    tests = {name: and_(_is_blank(target, name), _says(staged, name)) for name in columns}
    changed = db.execute(
        update(target)
        .values({name: case((test, staged.c[name]), else_=target.c[name]) for name, test in tests.items()})
        .where(target.c.source == source, target.c.source_id == staged.c.source_id, or_(*tests.values()))
    )
    return int(changed.rowcount)


def _is_blank(target: Table, name: str) -> ColumnElement[bool]:
    if name == "name" and target is organization:
        return target.c.name == target.c.source_id
    if name == "region" and target is organization:
        return target.c.region == "global"
    if target.c[name].nullable:
        return target.c[name].is_(None)
    return target.c[name] == ""


def _says(staged: Table, name: str) -> ColumnElement[bool]:
    return staged.c[name].is_distinct_from(_blank_of(staged, name))


def _blank_of(staged: Table, name: str) -> Any:
    return null() if not isinstance(staged.c[name].type, Text) else literal("")


def replace(db: Connection, staging: Staging, columns: Sequence[str], key: Sequence[str]) -> int:
    """Rows met before take the staged values: a goal is a plan, and the latest plan holds."""
    staged, target = staging.table, staging.target
    same = _same(staged, target, None, key, "")
    differs = or_(*(target.c[name].is_distinct_from(staged.c[name]) for name in columns))
    changed = db.execute(update(target).values({name: staged.c[name] for name in columns}).where(same, differs))
    return int(changed.rowcount)


def stored(db: Connection, staging: Staging, *, source: str, limit: int) -> list[Mapping[str, Any]]:
    """The first staged rows as they stand in the record now."""
    rows, identity, _ = _identified(staging.table)
    same = _same(staging.table, staging.target, identity, (), source)
    found = select(staging.target).select_from(rows.join(staging.target, same)).order_by(staging.table.c.line)
    return [dict(row) for row in db.execute(found.limit(limit)).mappings()]


# ── names that files use ───────────────────────────────────────────────────────────────────────────────────────────


def zones(db: Connection) -> dict[int, str]:
    """Partner id → the zone of its program."""
    rows = select(partner.c.id, program.c.timezone).join(program, program.c.id == partner.c.program_id)
    return {row.id: row.timezone for row in db.execute(rows)}


def referral_codes(db: Connection, texts: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Code → its id and its partner's."""
    rows = select(referral_code.c.code, referral_code.c.id, referral_code.c.partner_id)
    found = db.execute(rows.where(referral_code.c.code == func.any(list(texts))))
    return {row.code: (row.id, row.partner_id) for row in found}


def experiments(db: Connection) -> dict[str, int]:
    return {row.code: row.id for row in db.execute(select(experiment.c.code, experiment.c.id))}
