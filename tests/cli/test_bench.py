"""What `millrace bench` asks can be asked, and what it prints has ours and the reference side by side."""

from __future__ import annotations

import importlib
import json
import tomllib
from datetime import date
from pathlib import Path

import pytest

from bench import report
from bench.report import Measure
from core.cli.bench import BENCHES, UNASKED
from data import metrics
from data.metrics import Request

QUESTIONS = tomllib.loads((Path(report.__file__).with_name("questions.toml")).read_text(encoding="utf-8"))


def test_there_are_twelve_dashboard_questions_with_a_point_read_and_five_ad_hoc_ones() -> None:
    assert len(QUESTIONS["dashboard"]) == 12
    assert any(question.get("as_partner") for question in QUESTIONS["dashboard"])
    assert len(QUESTIONS["adhoc"]) == 5
    assert all(question["duckdb"] and question["postgres"] for question in QUESTIONS["adhoc"])


@pytest.mark.parametrize("question", QUESTIONS["dashboard"], ids=lambda question: question["name"])
def test_a_dashboard_question_is_answered_by_a_mart(question: dict[str, object]) -> None:
    metric = metrics.catalogue()[str(question["metric"])]
    by = tuple(question.get("by", ()))  # type: ignore[call-overload]
    since = date.fromisoformat(str(question.get("since", "2024-01-01")))
    assert not metrics.narrowest(metric, Request(metric.name, since, by=by)).relation.endswith("_line")


@pytest.mark.parametrize("name", [name for name in BENCHES if name != "page"])  # page needs packages of its own
def test_each_measurement_stands(name: str) -> None:
    assert callable(importlib.import_module(BENCHES[name][0]).run)


def test_what_runs_unasked_is_not_the_fifty_million() -> None:
    assert all("50m" not in name for name in UNASKED)


def test_a_line_has_ours_the_reference_and_their_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    measures = [Measure("first load", 600.0, "rows/s", 1000.0, "COPY", "≥ 0.6"), Measure("lag", 3.0, "ms")]
    report.write("feed", {"sales": 10}, measures, "json")
    first, second = json.loads(capsys.readouterr().out)
    assert (first["ours"], first["reference"], first["ratio"], first["sales"]) == (600.0, 1000.0, 0.6, 10)
    assert second["ratio"] is None
    assert {"cores", "cpu", "memory_gib", "duckdb"} <= set(first["machine"])
    report.write("feed", {"sales": 10}, measures, "table")
    assert "0.60" in capsys.readouterr().out
