"""Metric files: one question each. Here they are read, checked, and put upon the narrowest relation that answers.

A file is a header of `-- key: value` lines and one select in the SQL that DuckDB, Postgres and Spark share.
It reads the family that its header names (`from:`) as if that were a table with the columns `group_1`,
`group_2`, `group_3` (what is asked `by`), `currency`, the measures of the family and, where it compares,
`is_current`. Which relation stands behind the family, the period, the filters and the scope are not its business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from data.relations import FAMILIES, MARTS, OF_PARTNER, RELATIONS, SQL, TIME, Cells

GROUPS = ("group_1", "group_2", "group_3")
_HEADER = re.compile(r"-- ([a-z]+): (.+)")
_PARAMETER = re.compile(r"(?<!:):([a-z][a-z0-9_]*)\b")
NAMES = frozenset({relation.name for relation in RELATIONS} | {mart.name for mart in MARTS} | set(FAMILIES))
FUNCTIONS = frozenset({"+", "-", "*", "/", "||"}) | {
    *(
        "abs",
        "avg",
        "ceil",
        "coalesce",
        "concat",
        "count",
        "count_star",
        "date_trunc",
        "floor",
        "greatest",
        "lag",
        "lead",
    ),
    *("least", "length", "lower", "max", "min", "nullif", "rank", "round", "row_number", "sum", "upper"),
}
"""What a metric may call: these read nothing but their arguments, and DuckDB, Postgres and Spark know them alike."""

SHAPES = re.compile(
    r"SELECT_NODE|SET_OPERATION_NODE|CTE_NODE|BASE_TABLE|JOIN|SUBQUERY|EMPTY|COLUMN_REF|VALUE_CONSTANT|FUNCTION|STAR"
    r"|TYPE|CASE_EXPR|ASCENDING|DESCENDING|(COMPARE|CONJUNCTION|OPERATOR|ORDER|WINDOW)_\w+|(LIMIT|DISTINCT)_MODIFIER|\w+_TYPE_INFO"
)
"""The parts of a select that a metric is made of; a part that is not listed (a file, a table function) is refused."""


class BadMetric(Exception):
    """A metric file that names what it may not, or lacks a line of its header."""


class NoAnswer(Exception):
    """A question that this metric cannot answer; the sentence says which dimensions it has."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric file: its header, and its select."""

    name: str
    title: str
    unit: str  # money, count, ratio or rows
    family: str
    roles: frozenset[str]
    definition: str
    good: str = "up"  # the direction that is good news: up, down or none
    answer: str = ""  # the column that holds the value
    compares: bool = False
    needs_partner: bool = False  # its select names partner_id
    grain: str = ""
    sql: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)  # what `--set` may give, with its default

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What it may be asked by and filtered on."""
        names = dict.fromkeys(name for cells in FAMILIES[self.family] for name in columns_of(cells))
        return tuple(names)


@dataclass(frozen=True, slots=True)
class Request:
    """A question as plain values; data.warehouse runs it within a scope."""

    metric: str
    since: date | None = None
    until: date | None = None
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    currency: str | None = None  # answer in this currency (the house's), where rates are known
    before: tuple[date, date] | None = None  # the period that a comparing metric holds against
    values: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    only_currency: str | None = None  # keep the answer's rows that are in this currency


def columns_of(cells: Cells) -> dict[str, str]:
    """Dimension → expression, of one relation."""
    own = {name: f"cells.{name}" for name in cells.dimensions}
    time = {name: expression.replace("business_day", f"cells.{cells.time}") for name, expression in TIME.items()}
    partner = OF_PARTNER if cells.has_partner else {}
    money = {"currency": "cells.currency"} if cells.money else {}
    return time | partner | own | money


@cache
def catalogue(folder: Path = SQL / "metrics") -> dict[str, Metric]:
    """Every metric, by name."""
    return {path.stem: read(path) for path in sorted(folder.glob("*.sql"))}


def read(path: Path) -> Metric:
    """One file, checked: a header with what readers must know, and names of the scope only."""
    lines = path.read_text().splitlines()
    header: dict[str, str] = {"grain": lines[0].removeprefix("--").strip()}
    body = 1
    for number, line in enumerate(lines[1:], start=1):
        found = _HEADER.match(line)
        if not found:
            body = number
            break
        header[found[1]] = found[2].strip()
    missing = {"title", "unit", "from", "roles", "definition"} - header.keys()
    if missing:
        raise BadMetric(f"{path.name} lacks {', '.join(sorted(missing))} in its header.")
    if header["from"] not in FAMILIES:
        raise BadMetric(f"{path.name} is from {header['from']}, which is no family of relations.")
    sql = "\n".join(lines[body:]).strip()
    check_names(path.name, sql)
    return Metric(
        name=path.stem,
        title=header["title"],
        unit=header["unit"],
        family=header["from"],
        roles=frozenset(header["roles"].split()),
        definition=header["definition"],
        good=header.get("good", "up"),
        answer=header.get("answer", path.stem),
        compares=header.get("compares", "no") == "yes",
        needs_partner="partner_id" in sql,
        grain=header["grain"],
        sql=sql,
        parameters=dict(part.split("=", 1) for part in header.get("parameters", "").split() if "=" in part),
    )


def check_names(name: str, sql: str) -> None:
    """Refuse what names a table outside the scope, calls a function that may read elsewhere, or is no select."""
    tree = parsed(name, sql)
    for part in _parts(tree):
        kind = part["type"]
        if not SHAPES.fullmatch(kind) or part.get("sample") or part.get("at_clause"):
            raise BadMetric(f"{name} has a part that metrics are not made of: {kind.lower()}.")
        function = part.get("function_name")
        if function and (function not in FUNCTIONS or part.get("schema") or part.get("catalog")):
            raise BadMetric(f"{name} calls {function}; a metric may call {', '.join(sorted(FUNCTIONS))}.")
    _check_tables(name, tree, set(NAMES), at_top=True)


def parsed(name: str, sql: str) -> Any:
    """The select as DuckDB reads it."""
    with _parser() as parser:
        row = parser.execute("select json_serialize_sql(?)", [_PARAMETER.sub("null", sql)]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree.get("error") or len(tree["statements"]) != 1:
        raise BadMetric(f"{name} is not one select: {tree.get('error_message', 'several statements')}")
    return tree["statements"][0]["node"]


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"autoinstall_known_extensions": "false", "enable_external_access": "false"})


def _parser() -> duckdb.DuckDBPyConnection:
    return _database().cursor()


def _check_tables(name: str, node: Any, known: set[str], *, at_top: bool = False) -> None:
    """Each table is a relation, or a step declared further up: never a name that only looks like one."""
    steps = node.get("cte_map", {}).get("map", [])
    if steps and not at_top:
        raise BadMetric(f"{name} declares a step inside another; a metric declares its steps at its beginning.")
    for step in steps:
        value = step["value"]
        _check_tables(name, value["query_node"] if "query_node" in value else value["query"]["node"], known)  # 2.0, 1.5
        known = known | {step["key"]}
    for part in _parts({key: value for key, value in node.items() if key != "cte_map"}):
        if part is not node and part.get("cte_map", {}).get("map"):
            _check_tables(name, part, known)
        table = part.get("table_name", "") if part["type"] == "BASE_TABLE" else ""
        if table and (part.get("schema_name") or part.get("catalog_name") or table not in known):
            raise BadMetric(f"{name} names {table}; a metric may name {', '.join(sorted(NAMES))}.")


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every part of the tree that says what it is."""
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield node
        for value in node.values():
            yield from _parts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _parts(value)


def compose(metric: Metric, request: Request, house_currency: str) -> tuple[str, dict[str, Any]]:
    """The select to run and its parameters: the metric over the narrowest relation that has every column asked."""
    cells = narrowest(metric, request)
    columns = columns_of(cells)
    if request.currency and cells.money and "currency" in request.by:
        raise NoAnswer(f"An answer in {request.currency} does not go by currency; ask for one or the other.")
    values: dict[str, Any] = dict(metric.parameters) | dict(request.values)
    groups = [f"{columns[name]} as {group}" for name, group in zip(request.by, GROUPS, strict=False)]
    groups += [f"cast(null as varchar) as {group}" for group in GROUPS[len(request.by) :]]
    conditions = list(_conditions(cells, columns, request, values))
    picked = [
        *groups,
        f"cells.{cells.time} as {cells.time}",
        *_measures(cells, request.currency == house_currency, house_currency),
    ]
    if metric.compares:
        picked.append(f"cells.{cells.time} >= :since as is_current")
    if "bucket_since" in metric.sql:
        starts = [f", {columns[name]}" for name in request.by if name in TIME]
        picked.append(f"greatest(cast(:since as date){''.join(starts)}) as bucket_since")
    joined = " left join partner on partner.id = cells.partner_id" if cells.has_partner else ""
    source = f"select {', '.join(picked)} from {cells.relation} as cells{joined}"
    if conditions:
        source += f" where {' and '.join(conditions)}"
    asked = f"with {metric.family} as ({source}) {_inner(metric.sql)}"
    if request.only_currency is not None:
        values["only_currency"] = request.only_currency
        asked = f"select * from ({asked}) as rows where currency = :only_currency"
    if request.limit is not None:
        asked = f"select * from ({asked}) as rows limit {int(request.limit)}"
    used = set(_PARAMETER.findall(asked))
    return asked, {name: value for name, value in values.items() if name in used}


def _inner(sql: str) -> str:
    """A metric may begin with its own CTEs; they follow the family's."""
    return f", {sql[4:].lstrip()}" if sql[:5].lower() == "with " else sql


def narrowest(metric: Metric, request: Request) -> Cells:
    asked = {*request.by, *request.where}
    for cells in FAMILIES[metric.family]:
        has_all = asked <= set(columns_of(cells)) and (cells.has_partner or not metric.needs_partner)
        if has_all and (cells.has_filters or not request.where):
            return cells
    unknown = sorted(asked - set(metric.dimensions))
    what = f"“{unknown[0][:40]}”" if unknown else "these together"
    raise NoAnswer(f"{metric.title} cannot be asked by {what}; it can by {', '.join(metric.dimensions)}.")


def _measures(cells: Cells, convert: bool, house_currency: str) -> list[str]:
    """The row's own columns; money in the currency asked for where the row's rate is known, else in its own."""
    picked = [f"cells.{name} as {name}" for name in (*cells.dimensions, *cells.measures)]
    picked += cells.absent
    if cells.has_partner:
        picked.append("cells.partner_id as partner_id")
    if not cells.money:
        return picked
    picked.append("cells.has_rate as has_rate")
    house = "house_minor" if cells.money == ("amount_minor",) else "house_{}"
    if not convert:
        return [*picked, "cells.currency as currency", *(f"cells.{name} as {name}" for name in cells.money)]
    picked.append(f"case when cells.has_rate then '{house_currency}' else cells.currency end as currency")
    return [
        *picked,
        *(
            f"case when cells.has_rate then cells.{house.format(name)} else cells.{name} end as {name}"
            for name in cells.money
        ),
    ]


def _conditions(cells: Cells, columns: dict[str, str], request: Request, values: dict[str, Any]) -> Any:
    """The period and the filters; each value travels as a parameter of its own."""
    day = f"cells.{cells.time}"
    values["since"] = request.since or date(1, 1, 1)
    values["until"] = request.until or date(9999, 12, 31)
    within = f"{day} >= :since and {day} < :until"
    if request.before:
        values["before_since"], values["before_until"] = request.before
        yield f"({within} or {day} >= :before_since and {day} < :before_until)"
    elif request.since or request.until:
        yield within
    for number, (name, wanted) in enumerate(request.where.items(), start=1):
        yield _filter(columns[name], f"where_{number}", wanted, values)


def _filter(expression: str, stem: str, wanted: Sequence[str | None], values: dict[str, Any]) -> str:
    texts = [value for value in wanted if value]
    parts = []
    for number, value in enumerate(texts, start=1):
        values[f"{stem}_{number}"] = value
    if texts:
        names = ", ".join(f":{stem}_{number}" for number in range(1, len(texts) + 1))
        parts.append(f"cast({expression} as varchar) in ({names})")
    if len(texts) < len(wanted):  # an empty value asks for rows without one
        parts.append(f"coalesce(cast({expression} as varchar), '') = ''")
    return f"({' or '.join(parts)})" if parts else "1 = 0"


def spoken_by(sql: str, style: str) -> str:
    """The same text with parameters as an engine spells them: `$name` for DuckDB, `%(name)s` for psycopg."""
    if style == "psycopg":
        return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
    return _PARAMETER.sub(r"$\1", sql)
