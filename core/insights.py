"""Questions and answers: a metric, a period, a viewer. Screens, API, reports and the command line all ask here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from core.errors import NotAllowed, NotFound, Refusal
from core.periods import Period, now
from core.runtime import house
from core.viewer import Viewer, require
from data import metrics as files
from data.check import Finding, compare
from data.metrics import Metric as Metric
from data.metrics import NoAnswer, Request
from data.warehouse import EVERYBODY, Freshness, Scope


class CannotAnswer(Refusal):
    """The metric has no such dimension, filter or parameter."""

    code = "cannot_answer"
    status = 422


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a metric over a period, by up to three dimensions, filtered.

    `where` maps a dimension to the values wanted ('' asks for rows without one). `currency` asks for the answer in the
    house currency, at each row's locked rate; rows without a rate stay in their own. `limit` bounds the rows.
    """

    metric: str
    period: Period | None = None
    by: tuple[str, ...] = ()
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    currency: str | None = None
    against: Period | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    only_currency: str | None = None  # keep the rows of the answer that are in this currency

    def over(self, period: Period | None) -> Question:
        return replace(self, period=period)


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of the metric's grain: the dimensions asked by, `currency` where it is money, and its own columns."""

    metric: Metric
    question: Question
    rows: pl.DataFrame

    def total(self, currency: str | None = None) -> int | float | None:
        """The value of an answer asked by nothing (of one currency); no rows are a count of 0, else no value."""
        rows = self.rows
        if currency is not None and "currency" in rows.columns:
            rows = rows.filter(pl.col("currency") == currency)
        values = rows[self.metric.answer].drop_nulls().to_list() if rows.height else []
        return values[0] if values else (0 if self.metric.unit == "count" else None)


def ask(viewer: Viewer, question: Question) -> Answer:
    """Answer `question` over the rows that `viewer` may see. Refuses a metric that their roles do not open."""
    metric = one(viewer, question.metric)
    refuse_unknown(metric, question)
    try:
        rows = house().warehouse.ask(request_of(metric, question), scope_of(viewer))
    except NoAnswer as error:
        raise CannotAnswer(str(error)) from error
    return Answer(metric, question, rows)


def one(viewer: Viewer, name: str) -> Metric:
    metric = files.catalogue().get(name)
    if metric is None:
        raise NotFound(f"There is no metric “{name[:60]}”; `millrace metrics` lists them.")
    if not viewer.roles & metric.roles:
        raise NotAllowed(f"{metric.title} is not open to your roles; ask an admin to change them under People.")
    return metric


def metrics(viewer: Viewer) -> list[Metric]:
    """The metrics that the viewer may ask."""
    return [metric for metric in files.catalogue().values() if viewer.roles & metric.roles]


def refuse_unknown(metric: Metric, question: Question) -> None:
    if len(question.by) > len(files.GROUPS):
        raise CannotAnswer("A question goes by at most three dimensions.")
    currency = house().settings.currency
    if question.currency not in (None, currency):
        raise CannotAnswer(f"Rates are locked to {currency}, the house currency; ask for {currency} or leave it out.")
    unknown = sorted(set(question.values) - set(metric.parameters))
    if unknown:
        known = ", ".join(["currency", *metric.parameters])
        raise CannotAnswer(f"{metric.title} has no parameter “{unknown[0][:40]}”; it has {known}.")


def request_of(metric: Metric, question: Question) -> Request:
    period = question.period
    against = question.against or (period.before() if period and metric.compares else None)
    if metric.compares and period is None:
        raise CannotAnswer(f"{metric.title} compares two periods; say since when, and until when.")
    return Request(
        metric=metric.name,
        since=period.since if period else None,
        until=period.until if period else None,
        by=question.by,
        where={name: tuple(values) for name, values in question.where.items()},
        currency=question.currency,
        before=(against.since, against.until) if against else None,
        values=question.values,
        limit=question.limit,
        only_currency=question.only_currency,
    )


def scope_of(viewer: Viewer) -> Scope:
    """Everybody's rows for the house's own roles; a partner's own rows, and none other, else."""
    return EVERYBODY if viewer.sees_all_partners else Scope(viewer.partner_ids)


def freshness() -> Freshness:
    return house().warehouse.freshness()


def today() -> date:
    """The business day that it is now in the house's zone."""
    return now().astimezone(ZoneInfo(house().settings.timezone)).date()


def partner_names(viewer: Viewer) -> dict[str, str]:
    """The names of the partners that have sold anything, by code."""
    rows = ask(viewer, Question("sale_line_count", by=("partner", "partner_name"))).rows
    return {code: name for code, name in rows.select("partner", "partner_name").iter_rows() if code}


def values_of(viewer: Viewer, dimension: str) -> list[str]:
    """The values that a dimension of revenue has, most lines first: what a filter offers."""
    rows = ask(viewer, Question("sale_line_count", by=(dimension,))).rows
    counted = rows.group_by(dimension).agg(pl.col("sale_line_count").sum()).sort("sale_line_count", descending=True)
    return [str(value) for value in counted[dimension].to_list() if value not in (None, "")]


def check(viewer: Viewer) -> list[Finding]:
    """Hold the warehouse of this process against Postgres, to the unit. A finding without breaks holds."""
    require(viewer, "admin")
    return compare(house().warehouse)


@dataclass(frozen=True, slots=True)
class Currencies:
    """The currencies of the viewer's sale lines, most lines first, and whether any has a rate to the house's."""

    others: tuple[str, ...]
    has_converted: bool


def currencies(viewer: Viewer) -> Currencies:
    rows = ask(viewer, Question("currencies")).rows
    return Currencies(tuple(rows["currency"].to_list()), bool(rows["rated_lines"].sum()))


def house_currency() -> str:
    return house().settings.currency


def fact_days(viewer: Viewer) -> tuple[date, date] | None:
    """The first and the last business day with a sale line that the viewer may see."""
    first, last = ask(viewer, Question("fact_days")).rows.select("first_day", "last_day").row(0)
    return (first, last) if first is not None else None


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote on a business day."""

    day: date
    label: str


def notes(viewer: Viewer, first: date, last: date) -> list[Note]:
    """The notes on the days from `first` to `last`; none for partners, whose charts carry no internal remarks."""
    if not viewer.sees_all_partners:
        return []
    rows = ask(viewer, Question("annotations", Period(first, last + timedelta(days=1)))).rows
    return [Note(*row) for row in rows.select("note_day", "label").iter_rows()]


@dataclass(frozen=True, slots=True)
class State:
    """What the feed did last, and how much it holds."""

    rows: int
    seconds: float
    sale_lines: int


def state(viewer: Viewer) -> State:
    require(viewer, "admin")
    step = house().warehouse.last_step
    counted = ask(viewer, Question("sale_line_count")).rows["sale_line_count"].sum()
    return State(step.rows if step else 0, step.seconds if step else 0.0, int(counted or 0))


def house_timezone() -> str:
    return house().settings.timezone
