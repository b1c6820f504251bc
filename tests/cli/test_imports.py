"""`millrace import`: exit codes, what is told to people and to programs, and each of its words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.cli import main
from core.runtime import transaction

GOOD = "order_id,when,total,land\n1,2026-03-01 23:30,10.00,France\n2,2026-03-02,20.50,Spain\n"
WORDS = ["--map", "at=when", "amount=total", "partner=land", "--set", "currency=EUR"]
Millrace = Callable[..., tuple[int, str, str]]


@pytest.fixture
def millrace(house: Any, capsys: pytest.CaptureFixture[str]) -> Millrace:
    """`millrace("import", …)`: the exit code, and what was said on standard output and standard error."""

    def called(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as usage:
            code = int(usage.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(GOOD)
    return path


def stored(query: str) -> list[tuple[Any, ...]]:
    with transaction() as db:
        return [tuple(row) for row in db.execute(text(query))]


def test_a_file_is_taken_in_and_the_second_time_nothing_changes(millrace: Millrace, file: Path) -> None:
    words = ["import", "sales", file, *WORDS, "--create-partners"]
    code, said, wrong = millrace(*words)
    assert (code, wrong.count("millrace:")) == (0, 0)
    assert "amount ← total" in said
    assert "2 partners created" in said
    assert said.endswith("2 rows read: 2 written.\n")
    code, said, _ = millrace(*words)
    assert code == 0
    assert said.endswith("2 rows read: 0 written, 2 were there before.\n")


def test_json_is_a_list_of_one_row_with_plain_numbers(millrace: Millrace, file: Path) -> None:
    _, said, _ = millrace("import", "sales", file, *WORDS, "--create-partners", "--format", "json")
    (row,) = json.loads(said)
    assert {name: row[name] for name in ("kind", "state", "rows_read", "rows_written", "rows_refused")} == {
        "kind": "sales", "state": "done", "rows_read": 2, "rows_written": 2, "rows_refused": 0
    }  # fmt: skip


def test_an_unknown_partner_is_refused_with_one_sentence_and_exit_code_1(millrace: Millrace, file: Path) -> None:
    code, _, wrong = millrace("import", "sales", file, *WORDS)
    assert code == 1
    assert wrong.startswith("millrace: 2 rows cannot be kept; nothing was written. First, line 2, land: There is no")
    assert wrong.count("\n") == 1
    assert stored("select count(*) from sale") == [(0,)]


def test_a_dry_run_writes_nothing(millrace: Millrace, file: Path) -> None:
    code, said, _ = millrace("import", "sales", file, *WORDS, "--create-partners", "--dry-run")
    assert code == 0
    assert "Dry run, nothing written: 2 rows read: 2 written." in said
    assert stored("select count(*) from sale") == [(0,)]
    assert stored("select count(*) from import_file") == [(0,)]


def test_times_are_read_in_the_zone_that_is_told(millrace: Millrace, file: Path) -> None:
    millrace("import", "sales", file, *WORDS, "--create-partners", "--timezone", "America/New_York")
    assert stored("select business_day::text from sale order by order_id") == [("2026-03-02",), ("2026-03-02",)]


def test_bad_rows_are_skipped_and_kept_beside_the_file(millrace: Millrace, file: Path) -> None:
    file.write_text(GOOD + "3,never,1,France\n")
    code, said, _ = millrace("import", "sales", file, *WORDS, "--create-partners", "--skip-bad")
    assert code == 0
    assert "Refused: 1 row\n  line 4, when: “never” is not a time" in said
    assert f"Refused rows, with line, column and reason: {file}.refused.csv" in said
    assert "3,never,1,France,4,when," in Path(f"{file}.refused.csv").read_text()


def test_rates_and_goals_come_in_the_same_way(millrace: Millrace, file: Path, tmp_path: Path) -> None:
    millrace("import", "sales", file, *WORDS, "--create-partners")
    rates, goals = tmp_path / "rates.csv", tmp_path / "goals.csv"
    rates.write_text("date,from,to,rate,source\n2026-03-01,EUR,USD,1.10,bank\n")
    goals.write_text("metric,month,target,currency\nnet_revenue,2026-03,100000,USD\n")
    code, said, _ = millrace("import", "rates", rates)
    assert code == 0
    assert "2 earlier rows got their amount in the house currency" in said
    assert stored("select house_minor from sale order by order_id") == [(1100,), (2255,)]
    assert millrace("import", "goals", goals)[0] == 0
    goals.write_text("metric,month,target,currency\nnet_revenue,2026-03,120000,USD\n")
    assert millrace("import", "goals", goals)[0] == 0
    assert stored("select target from goal") == [(12_000_000,)]


@pytest.mark.parametrize(
    "words",
    [
        ["import"],
        ["import", "sales"],
        ["import", "nonsense", "a.csv"],
        ["import", "sales", "a.csv", "--map", "at"],
        ["import", "sales", "a.csv", "--map", "=x"],
        ["import", "sales", "a.csv", "--kind", "C*=nothing"],
        ["import", "sales", "a.csv", "--format", "xml"],
        ["import", "sales", "a.csv", "--timezone", "Mars/Base"],
        ["import", "sales", "a.csv", "--map", "at=a", "at=b"],
        ["import", "sales", "a.csv", "--no-such-word"],
    ],
)
def test_wrong_usage_is_exit_code_2(millrace: Millrace, words: list[str]) -> None:
    code, said, wrong = millrace(*words)
    assert (code, said) == (2, "")
    assert "Traceback" not in wrong


@pytest.mark.parametrize("name", ["none.csv", "a.txt", "folder.csv"])
def test_what_is_no_file_of_facts_is_exit_code_1(millrace: Millrace, tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text(GOOD)
    (tmp_path / "folder.csv").mkdir()
    code, _, wrong = millrace("import", "sales", tmp_path / name)
    assert code == 1
    assert wrong.startswith("millrace: ")
    assert wrong.count("\n") == 1


def test_a_program_reads_why_it_was_refused(millrace: Millrace, file: Path) -> None:
    code, said, wrong = millrace("import", "sales", file, *WORDS, "--format", "json")
    (row,) = json.loads(said)
    assert (code, row["state"], row["rows_written"]) == (1, "refused", 0)
    assert row["bad"][0] == {"line": 2, "column": "land", "reason": row["bad"][0]["reason"]}
    assert wrong.startswith("millrace: ")
