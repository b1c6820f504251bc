"""What one kind of fact is made of: its fields, how each is read, and what the row must hold as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from core.intake.cells import Given, Reader
from core.intake.options import Options


@dataclass(frozen=True, slots=True)
class Field:
    """One column of ours that a file may fill."""

    name: str
    read: Reader
    required: bool = False
    default: Any = None
    """What an empty cell stands for; None: nothing."""
    column: str = ""
    """Where it is kept, when that is called otherwise; amounts carry their unit there."""
    kept: bool = True
    """Whether the staged row carries it; a price, for one, only serves to find the amount."""
    also: tuple[str, ...] = ()
    """What others call it: a header of this name is suggested for the field."""

    @property
    def stored(self) -> str:
        return self.column or self.name


class Rows:
    """A batch on its way in: the text of each field, the values read from it, and what is refused."""

    def __init__(self, lines: pl.Series, cells: dict[str, pl.Series]) -> None:
        self.cells = cells
        self.values = lines.alias("line").to_frame()
        self.refused: dict[str, list[tuple[pl.Series, str]]] = {}
        self.notes: set[str] = set()

    def has(self, name: str) -> bool:
        return name in self.cells

    def put(self, name: str, values: pl.Series | pl.Expr) -> None:
        self.values = self.values.with_columns(values.alias(name))

    def refuse(self, name: str, where: pl.Series | pl.Expr, reason: str) -> None:
        """Refuse the rows that `where` marks, because of the field `name`."""
        mask = self.values.select(where.alias("mask")).to_series() if isinstance(where, pl.Expr) else where
        mask = mask.fill_null(False)
        if mask.any():
            self.refused.setdefault(name, []).append((mask, reason))

    def bad(self) -> pl.Series | None:
        """Which rows are refused; None when all are good."""
        masks = [mask for reasons in self.refused.values() for mask, _ in reasons]
        if not masks:
            return None
        together = masks[0]
        for mask in masks[1:]:
            together = together | mask
        return together


def nothing_more(rows: Rows, options: Options, given: Given) -> None:
    """Most kinds need no decision beyond their cells."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fact that can be imported."""

    name: str
    title: str
    table: str
    fields: tuple[Field, ...]
    decide: Callable[[Rows, Options, Given], None] = nothing_more
    """What the cells of a row mean together: derived values, signs, what excludes what."""
    key: tuple[str, ...] = ("source", "source_id")
    """What makes a row the same row."""
    fills: tuple[str, ...] = ()
    """Columns that a later file may fill where they were empty."""
    replaces: tuple[str, ...] = ()
    """Columns that a later file may change."""
    never_contradicted: bool = False
    """Whether another value for a row met before refuses the whole file, instead of being reported."""
    needs_one_of: tuple[str, ...] = ()
    extras: str = ""
    """Where the columns that no field took are kept, as JSON; empty: they are left aside."""

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


SOURCE_ID = ("id", "source_id", "transaction_id", "external_id", "uuid")
PARTNER = ("partner_code", "affiliate", "reseller", "partner_id")
CUSTOMER = ("customer_id", "client", "client_id", "buyer", "customer_code")
ORGANIZATION = ("organization_id", "organisation", "org", "company", "account_id")
AT = ("timestamp", "time", "datetime", "date", "created_at", "created", "occurred_at", "event_time")
