"""`millrace ask METRIC`: one question, one table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from core import insights, settings
from core.insights import Answer, CannotAnswer, Question
from core.money import major_text
from core.periods import Period
from core.runtime import house, open_house
from core.trust import people
from core.viewer import SYSTEM, Viewer
from data.postgres import transaction


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("metric", help="its name; `millrace metrics` lists them")
    parser.add_argument("--since", metavar="DAY", help="first business day, such as 2026-01-01")
    parser.add_argument("--until", metavar="DAY", help="first business day that is not asked any more")
    parser.add_argument("--by", nargs="+", default=[], metavar="DIMENSION", help="day, week, month, partner, product …")
    parser.add_argument("--where", nargs="+", default=[], metavar="K=V", help="keep rows with this value (several: or)")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="K=V", help="currency, or a parameter")
    parser.add_argument("--as", dest="viewer", metavar="EMAIL", help="with the eyes of this person")
    parser.add_argument("--limit", type=int, help="at most so many rows")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")


def run(args: argparse.Namespace) -> int:
    open_house(settings.read())
    house().warehouse.refresh()
    viewer = viewer_named(args.viewer)
    answer = insights.ask(viewer, question(args))
    write(answer, args.format)
    return 0


def viewer_named(email: str | None) -> Viewer:
    if email is None:
        return SYSTEM
    with transaction() as db:
        return people.viewer_by_email(db, email)


def question(args: argparse.Namespace) -> Question:
    if args.limit is not None and args.limit < 1:
        raise CannotAnswer("A limit is a number of rows, from 1 on.")
    values = pairs(args.set)
    currency = values.pop("currency", None)
    where: dict[str, list[str]] = {}
    for word in args.where:
        name, value = split(word)
        where.setdefault(name, []).append(value)
    by = tuple(name for word in args.by for name in word.split(",") if name)
    return Question(args.metric, period(args.since, args.until), by, where, currency, values=values, limit=args.limit)


def period(since: str | None, until: str | None) -> Period | None:
    """The days asked; an open end is the far past, or tomorrow."""
    if since is None and until is None:
        return None
    return Period(
        day(since) if since else date(1970, 1, 1), day(until) if until else insights.today() + timedelta(days=1)
    )


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CannotAnswer(f"“{text[:40]}” is not a day; write it as 2026-01-31.") from None


def pairs(words: Sequence[str]) -> dict[str, str]:
    return dict(split(word) for word in words)


def split(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise CannotAnswer(f"“{word[:40]}” is not of the form name=value.")
    return name, value


def write(answer: Answer, style: str) -> None:
    rows = answer.rows.sort([name for name in answer.question.by if name in answer.rows.columns], nulls_last=True)
    if answer.metric.unit == "rows" or answer.metric.compares:
        rows = answer.rows
    if style == "json":
        print(json.dumps(rows.to_dicts(), default=str, ensure_ascii=False, indent=1))
    elif style == "csv":
        sys.stdout.write(rows.write_csv())
    else:
        print_table(answer, rows)


def print_table(answer: Answer, rows: pl.DataFrame) -> None:
    """For people: money in major units, one line a row."""
    print(f"{answer.metric.title} — {answer.metric.definition}")
    shown = [[cell(answer, name, row) for name in rows.columns] for row in rows.iter_rows(named=True)]
    widths = [
        max(len(name), *(len(line[i]) for line in shown)) if shown else len(name) for i, name in enumerate(rows.columns)
    ]
    for line in [list(rows.columns), *shown]:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))
    if not shown:
        print("No rows: nothing was sold in this period, or you may not see it.")


def cell(answer: Answer, name: str, row: dict[str, Any]) -> str:
    value = row[name]
    is_money = name in (answer.metric.answer, "before", "net_revenue") and answer.metric.unit == "money"
    if value is None:
        return "–"
    if (is_money or name.endswith("_minor")) and row.get("currency"):
        return major_text(value, row["currency"])
    return f"{value:.4f}" if isinstance(value, float) else str(value)
