"""Experiments, who was assigned to which variant, and who came to see it."""

from __future__ import annotations

import json

import polars as pl

from core.intake import cells
from core.intake.cells import Given, Read
from core.intake.fields import AT, SOURCE_ID, Field, Kind


def variants(cells_: pl.Series, row: pl.DataFrame, given: Given) -> Read:
    """The configured split as JSON: variant → weight, a whole number."""
    known = {text: _is_split(text) for text in cells_.drop_nulls().unique()}
    good = cells_.replace_strict(known, default=False, return_dtype=pl.Boolean)
    return Read(cells_, ((~good, '{} is no split; write for instance {"control": 50, "new": 50}.'),))


def _is_split(text: str) -> bool:
    try:
        split = json.loads(text)
    except (ValueError, RecursionError):
        return False
    weights = list(split.values()) if isinstance(split, dict) else []
    return len(weights) > 1 and all(type(weight) is int and 0 < weight <= 10**6 for weight in weights)


EXPERIMENTS = Kind(
    name="experiments",
    title="Experiments",
    table="experiment",
    fields=(
        Field("code", cells.text(100), required=True, also=("experiment", "experiment_id")),
        Field("name", cells.text(200), required=True),
        Field("unit", cells.one_of("user", "account", "partner"), required=True),
        Field("variants", variants, required=True),
        Field("metric", cells.text(100), default=""),
        Field("status", cells.one_of("draft", "running", "ended"), default="draft"),
        Field("started_at", cells.time),
        Field("ended_at", cells.time),
    ),
    key=("code",),
    replaces=("status", "ended_at"),
)

_UNIT_FIELDS = (
    Field("experiment", cells.text(100), required=True, kept=False, also=("experiment_code", "experiment_id")),
    Field("source_id", cells.text(200), also=SOURCE_ID),
    Field("unit", cells.text(200), required=True, also=("user", "user_id", "account", "account_id")),
    Field("variant", cells.text(100), required=True, also=("group", "arm")),
    Field("at", cells.time, required=True, also=AT),
)

ASSIGNMENTS = Kind(name="assignments", title="Assignments", table="assignment", fields=_UNIT_FIELDS)
EXPOSURES = Kind(name="exposures", title="Exposures", table="exposure", fields=_UNIT_FIELDS)
