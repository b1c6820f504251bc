"""Which of the file's columns is which of ours: chosen, remembered from last time, or suggested by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import Refusal
from core.intake.fields import Kind
from core.intake.options import Options
from core.money import shown


class BadMapping(Refusal):
    """Columns that do not go together with the file or with the kind of fact."""

    code = "bad_mapping"
    status = 422


@dataclass(frozen=True, slots=True)
class Plan:
    """How one file is read: where each field comes from."""

    kind: Kind
    options: Options
    columns: Mapping[str, str]
    """Ours → the file's column."""
    constants: Mapping[str, str]
    extras: tuple[str, ...] = ()
    """The file's columns that are kept as they are, for kinds that keep them."""

    @property
    def given(self) -> frozenset[str]:
        return frozenset(self.columns) | frozenset(self.constants)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns to read."""
        return tuple(dict.fromkeys([*self.columns.values(), *self.extras]))

    @property
    def identity(self) -> tuple[str, ...]:
        """The fields that tell rows without an id apart, in their canonical order."""
        return tuple(sorted(self.columns))


def plan(kind: Kind, header: Sequence[str], options: Options, *, suggesting: bool = False) -> Plan:
    """The plan for a file with this header; refuses what is missing or does not exist, naming it.

    Chosen columns and constants come first. `suggesting` fills the rest by their names; otherwise only a
    column that is called exactly like the field is taken.
    """
    refuse_unknown(kind, header, options)
    columns = dict(options.mapping)
    found = suggested(kind, header) if suggesting else {name: name for name in kind.names if name in header}
    for ours, theirs in found.items():
        if ours in columns or ours in options.constants or clashes(ours, theirs, columns):
            continue
        columns[ours] = theirs
    constants = {ours: value for ours, value in options.constants.items() if value.strip()}
    taken = set(columns.values())
    extras = tuple(name for name in header if name not in taken) if kind.extras else ()
    chosen = Plan(kind, options, columns, constants, extras)
    refuse_missing(chosen, header)
    return chosen


def clashes(ours: str, theirs: str, columns: Mapping[str, str]) -> bool:
    """A suggestion gives way where its column serves already, or where a price would stand beside an amount."""
    if ours == "price" and "amount" in columns:
        return True
    if ours == "amount" and "price" in columns:
        return True
    return theirs in columns.values() and normal(ours) != normal(theirs)


def refuse_unknown(kind: Kind, header: Sequence[str], options: Options) -> None:
    for ours in (*options.mapping, *options.constants):
        if kind.field(ours) is None:
            raise BadMapping(f"{kind.title} have no field {shown(ours)}; they have {', '.join(kind.names)}.")
    for ours, theirs in options.mapping.items():
        if theirs not in header:
            raise BadMapping(f"The file has no column {shown(theirs)} for {ours}; it has {listed(header)}.")
        if ours in options.constants:
            raise BadMapping(f"{ours} is both a column and a fixed value; choose one.")


def refuse_missing(chosen: Plan, header: Sequence[str]) -> None:
    """A required field needs a column or a value; an amount may be quantity × price."""
    given = chosen.given
    kind = chosen.kind
    if "price" in given and "amount" in given:
        raise BadMapping("Name a column for the amount or for the price, not for both.")
    derived = {"amount"} if {"quantity", "price"} <= given else set()
    missing = [field.name for field in kind.fields if field.required and field.name not in given | derived]
    if missing:
        raise BadMapping(
            f"No column for {' and '.join(missing)}; the file has {listed(header)}. Say which it is, or give a value."
        )
    if kind.needs_one_of and not given & set(kind.needs_one_of):
        raise BadMapping(f"{kind.title} need a column for {' or '.join(kind.needs_one_of)}; it has {listed(header)}.")


def suggested(kind: Kind, header: Sequence[str]) -> dict[str, str]:
    """Ours → the file's column whose name, or a synonym of it, is the same but for case, blanks and punctuation."""
    by_name = {normal(name): name for name in reversed(header)}
    found: dict[str, str] = {}
    for field in kind.fields:  # a field's own name wins over any other field's synonym
        if normal(field.name) in by_name:
            found[field.name] = by_name[normal(field.name)]
    for field in kind.fields:
        theirs = next((by_name[normal(name)] for name in field.also if normal(name) in by_name), None)
        if field.name not in found and theirs is not None and theirs not in found.values():
            found[field.name] = theirs
    if "amount" in found:
        found.pop("price", None)
    return found


def normal(name: str) -> str:
    """`Invoice No.` and `invoice_no` are the same name."""
    return re.sub(r"[^0-9a-z]", "", name.lower())


def listed(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:30]) + (" …" if len(names) > 30 else "")
