"""`millrace ask`: one question, one table; a refusal is one sentence and exit code 1."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.cli import main
from data.postgres import transaction

ROWS = [
    {"order_id": "a", "at": "2026-01-05T10:00:00Z", "amount": "100.00", "currency": "USD", "customer": "ann"},
    {"order_id": "b", "at": "2026-02-05T10:00:00Z", "amount": "50.50", "currency": "USD", "customer": "ann"},
    {"order_id": "b", "at": "2026-02-06T10:00:00Z", "amount": "-20.00", "currency": "USD", "kind": "refund"},
]


@pytest.fixture
def sold(house: Any, sell: Any) -> Any:
    sell(house, ROWS)
    return house


def test_json_has_plain_numbers_and_money_in_minor_units(sold: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "net_revenue", "--by", "month", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"month": "2026-01-01", "currency": "USD", "net_revenue": 10_000},
        {"month": "2026-02-01", "currency": "USD", "net_revenue": 3_050},
    ]


def test_csv_has_the_same_rows(sold: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "orders", "--by", "month", "--format", "csv"]) == 0
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["month", "orders"], ["2026-01-01", "1"], ["2026-02-01", "1"]
    ]  # fmt: skip


def test_people_read_major_units(sold: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "net_revenue", "--since", "2026-02-01", "--until", "2026-03-01"]) == 0
    said = capsys.readouterr().out
    assert "Net revenue — " in said
    assert "30.50" in said


def test_the_line_by_line_answer_has_the_newest_first(sold: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "sale_lines", "--format", "json", "--limit", "1"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["kind"], row["amount_minor"]) == ("refund", -2_000)


def test_filters_parameters_and_periods_are_taken(sold: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--where", "kind=refund", "--set", "currency=USD", "--since", "2026-01-01", "--format", "json"]
    assert main(["ask", "net_revenue", "--by", "kind", "day", *words]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"kind": "refund", "day": "2026-02-06", "currency": "USD", "net_revenue": -2_000}
    ]


def test_movers_compare_with_the_period_before(sold: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "top_movers", "--since", "2026-02-01", "--until", "2026-03-01", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"currency": "USD", "net_revenue": 3_050, "before": 10_000, "change": -6_950}
    ]


def test_an_empty_business_answers_with_no_rows(house: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "net_revenue", "--by", "partner", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["ask", "net_revenue"]) == 0
    assert "No rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["profit"], "There is no metric “profit”; `millrace metrics` lists them."),
        (["net_revenue", "--by", "model"], "cannot be asked by “model”; it can by day"),
        (["net_revenue", "--by", "day", "week", "month", "year"], "at most three dimensions"),
        (["net_revenue", "--where", "model=large"], "cannot be asked by “model”"),
        (["net_revenue", "--where", "partner"], "“partner” is not of the form name=value"),
        (["net_revenue", "--set", "window=7d"], "has no parameter “window”; it has currency"),
        (["net_revenue", "--set", "currency=EUR"], "Rates are locked to USD"),
        (["net_revenue", "--by", "currency", "--set", "currency=USD"], "ask for one or the other"),
        (["net_revenue", "--since", "yesterday"], "“yesterday” is not a day; write it as 2026-01-31"),
        (["net_revenue", "--since", "2026-02-01", "--until", "2026-01-01"], "swap the two dates"),
        (["top_movers"], "compares two periods"),
        (["net_revenue", "--as", "nobody@example.com"], "Nobody active signs in as"),
        (["net_revenue'; drop table sale --"], "There is no metric"),
        (["net_revenue", "--by", "month\x00"], "cannot be asked by"),
        (["net_revenue", "--where", "partner=a\x00b"], ""),
        (["net_revenue", "--limit", "-1"], "A limit is a number of rows, from 1 on."),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused_in_a_sentence(
    sold: Any, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    code = main(["ask", *words])
    said = capsys.readouterr()
    if sentence:
        assert (code, said.out) == (1, "")
        assert said.err.startswith("millrace: ")
        assert sentence in said.err
    assert "Traceback" not in said.err


def test_wrong_usage_has_its_own_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["ask"])
    assert stopped.value.code == 2


def test_a_person_is_answered_with_their_own_eyes(sold: Any, sell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with transaction() as db:
        db.exec_driver_sql(
            "insert into partner (code, name, type, status) values ('acme', 'Acme', 'affiliate', 'active')"
        )
        db.exec_driver_sql(
            "insert into person (email, name, roles, status) values ('p@example.com', 'P', '{partner}', 'active')"
        )
        db.exec_driver_sql("insert into person_partner select person.id, partner.id from person, partner")
    sell(
        sold, [{"order_id": "p", "at": "2026-03-01T10:00:00Z", "amount": "7.00", "currency": "USD", "partner": "acme"}]
    )
    assert main(["ask", "net_revenue", "--as", "p@example.com", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"currency": "USD", "net_revenue": 700}]
    assert main(["ask", "acquisition_spend", "--as", "p@example.com"]) == 1
    assert "not open to your roles" in capsys.readouterr().err


def test_a_home_of_its_own_is_all_that_a_command_needs(tmp_path: Path) -> None:
    """In a child, with no database named: it starts Postgres, migrates, feeds, answers and ends."""
    environ = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | {"MILLRACE_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", "import sys; from core.cli import main; sys.exit(main())"]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *words], env=environ, capture_output=True, text=True, check=False, timeout=120)

    asked = run("ask", "net_revenue", "--by", "month", "--format", "json")
    assert (asked.returncode, json.loads(asked.stdout)) == (0, []), asked.stderr
    refused = run("ask", "profit")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Traceback" not in refused.stderr
    checked = run("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "ok" in checked.stdout
