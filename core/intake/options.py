"""What somebody chose for an import: which column is which, what is fixed, what is derived, what may be skipped.

Spelled on the command line as `--map ours=theirs`, `--set ours=value` and `--kind RULE=kind`, on the screen as the
same three lists, and kept with each import as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from core.errors import Refusal
from core.intake.cells import Dates
from core.money import shown
from core.periods import zone


class BadChoice(Refusal):
    """An option that cannot be meant."""

    code = "bad_choice"
    status = 422


@dataclass(frozen=True, slots=True)
class Options:
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Ours → the file's column."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Ours → one value for every row, written as a cell of the file would be."""
    kinds: tuple[str, ...] = ()
    """Rules that tell a sale's kind, the first that fits: `C*=refund` (order ids that begin with C),
    `negative=adjustment` (negative quantities, or amounts where there are no quantities)."""
    rounding: bool = False
    """Round amounts with more digits than their currency has, half away from zero, instead of refusing them."""
    timezone: str = "UTC"
    """The zone of times that name none."""
    dates: Dates = "iso"
    """How days are written: iso (2026-03-31), dmy (31/03/2026) or mdy (03/31/2026)."""
    create_partners: bool = False
    """Register partners that are not known yet, as pending affiliates."""
    skip_bad: bool = False
    """Write the good rows although others are refused."""
    dry_run: bool = False
    """Do everything, report it, and write nothing."""

    def __post_init__(self) -> None:
        zone(self.timezone)
        if self.dates not in ("iso", "dmy", "mdy"):
            raise BadChoice(f"Days are written iso, dmy or mdy, not {shown(str(self.dates))}.")
        for rule in self.kinds:
            kind_rule(rule)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "mapping": dict(self.mapping), "constants": dict(self.constants)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Options:
        known = {name: row[name] for name in cls.__dataclass_fields__ if name in row}
        return replace(cls(**known), kinds=tuple(row.get("kinds", ())))


@dataclass(frozen=True, slots=True)
class KindRule:
    """Rows whose order id begins with `prefix`, or whose quantity is negative where `prefix` is None, are of `kind`."""

    prefix: str | None
    kind: str


def kind_rule(rule: str) -> KindRule:
    """`C*=refund` or `negative=adjustment` as a rule."""
    left, _, kind = (part.strip() for part in rule.partition("="))
    if kind not in ("sale", "refund", "dispute", "dispute_won", "adjustment"):
        raise BadChoice(f"{shown(rule)} names no kind of sale; write for instance C*=refund or negative=adjustment.")
    if left == "negative":
        return KindRule(None, kind)
    if len(left) < 2 or not left.endswith("*"):
        raise BadChoice(f"{shown(rule)} is no rule; write the beginning of the order id and a star, such as C*=refund.")
    return KindRule(left[:-1], kind)
