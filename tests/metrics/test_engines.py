"""Every definition says the same on DuckDB and on Postgres: an engine is admitted by this test alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data import metrics
from data.relations import TIME

CATALOGUE = metrics.catalogue()
PERIODS = [{}, {"since": "2026-01-10", "until": "2026-02-05"}]
COMPARED = {"since": "2026-01-10", "until": "2026-02-05", "before": ("2025-12-25", "2026-01-10")}


def groupings(metric: metrics.Metric) -> list[tuple[str, ...]]:
    """By nothing, by each dimension, and by some together."""
    if metric.unit == "rows":
        return [()]
    several = [("month", "partner"), ("week", "month"), ("region", "product", "partner"), ("day", "channel")]
    return [(), *((name,) for name in metric.dimensions), *(by for by in several if set(by) <= set(metric.dimensions))]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_metric_by_every_dimension_is_equal_on_both_engines(many: Any, ask: Any, seed: int) -> None:
    """`ask` puts each question to both, and refuses answers that differ."""
    many(seed)
    asked = 0
    for name, metric in CATALOGUE.items():
        for number, by in enumerate(groupings(metric)):
            period = COMPARED if metric.compares else PERIODS[(number + seed) % 2]
            in_house = {"currency": "USD"} if number % 2 and "currency" not in by else {}
            ask(name, *by, **period, **in_house)
            asked += 1
    assert asked > 200


@pytest.mark.parametrize(
    "where",
    [
        {"partner": ("p1", "p2")},
        {"partner": ("",)},
        {"partner": ("p1", "")},
        {"month": ("2026-01-01",), "partner_type": ("affiliate",)},
        {"partner": ("nobody",)},
    ],
)
def test_every_metric_is_filtered_alike(many: Any, ask: Any, where: dict[str, tuple[str, ...]]) -> None:
    many(3)
    for name, metric in CATALOGUE.items():
        if set(where) <= set(metric.dimensions):
            ask(name, where=where, **(COMPARED if metric.compares else PERIODS[1]))


def test_narrow_marts_say_what_the_lines_say(many: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same question of the narrowest relation, and of the widest."""
    many(4)
    questions = [
        (name, by)
        for name, metric in CATALOGUE.items()
        for by in [(), *((time,) for time in TIME if time in metric.dimensions), ("partner",), ("region",)]
        if set(by) <= set(metric.dimensions) and metric.unit != "rows"
    ]
    narrow = [ask(name, *by, **(COMPARED if CATALOGUE[name].compares else PERIODS[1])) for name, by in questions]
    monkeypatch.setattr(metrics, "FAMILIES", {name: cells[-1:] for name, cells in metrics.FAMILIES.items()})
    wide = [ask(name, *by, **(COMPARED if CATALOGUE[name].compares else PERIODS[1])) for name, by in questions]
    for question, one, other in zip(questions, narrow, wide, strict=True):
        assert sorted(map(str, one)) == sorted(map(str, other)), question


def test_every_metric_has_its_example() -> None:
    examples = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert set(CATALOGUE) <= examples, f"write tests/metrics/test_<metric>.py for {set(CATALOGUE) - examples}"


def test_every_metric_is_explained() -> None:
    told = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [name for name in CATALOGUE if f"| `{name}` |" not in told] == []
    revenue = {name for metric in CATALOGUE.values() if metric.family != "notes" for name in metric.dimensions}
    assert sorted(name for name in revenue if f"`{name}`" not in told) == []
