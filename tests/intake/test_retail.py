"""Real files, taken in by the scripts of docs/examples: what they hold is what the warehouse answers, to the penny."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.cli import main
from core.runtime import House, transaction
from data.check import compare

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"

LINES = 541_909
NET_MINOR = 974_774_793
BY_MONTH = {
    "2010-12-01": 74_895_702, "2011-01-01": 56_000_026, "2011-02-01": 49_806_265, "2011-03-01": 68_326_708,
    "2011-04-01": 49_320_712, "2011-05-01": 72_333_351, "2011-06-01": 69_112_312, "2011-07-01": 68_130_011,
    "2011-08-01": 68_268_051, "2011-09-01": 101_968_762, "2011-10-01": 107_070_467, "2011-11-01": 146_175_625,
    "2011-12-01": 43_366_801,
}  # fmt: skip
BY_KIND = {
    "sale": (531_282, 1_065_562_248),
    "refund": (9_288, -89_681_249),
    "adjustment": (1_339, -1_106_206),
}


Run = Callable[..., dict[str, Any]]
STUB = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"


@pytest.fixture
def run(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("online_retail.sh", file)`: what the script calls, called in the house of this test; answers the report."""

    def called(script: str, *words: str) -> dict[str, Any]:
        command, copied = tmp_path / ".venv" / "bin" / "millrace", tmp_path / "docs" / "examples" / script
        for path, content in ((command, STUB), (copied, (EXAMPLES / script).read_text())):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            path.chmod(0o755)
        said = subprocess.run([copied, *words, "--format", "json"], check=True, capture_output=True, text=True)
        assert main(said.stdout.splitlines()) == 0
        (report,) = json.loads(capsys.readouterr().out)
        return dict(report)

    return called


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*.sh")))
def test_a_script_that_is_called_wrong_says_how(script: str) -> None:
    done = subprocess.run([EXAMPLES / script], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["ask", *words, "--format", "json"]) == 0
    return list(json.loads(capsys.readouterr().out))


@pytest.mark.slow
def test_the_retail_file_counts_to_the_penny_and_only_once(
    house: House, run: Run, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(shared / "real" / "online_retail" / "online_retail.parquet")
    first = run("online_retail.sh", file)
    assert (first["state"], first["rows_read"], first["rows_written"]) == ("done", LINES, LINES)
    assert (first["partners_created"], first["customers_created"]) == (38, 4_372)
    with transaction() as db:
        kinds = db.execute(text("select kind, count(*), sum(amount_minor) from sale group by kind")).all()
        nobodys = db.execute(text("select count(*) from sale where customer_id is null")).scalar_one()
    assert {kind: (lines, int(minor)) for kind, lines, minor in kinds} == BY_KIND
    assert nobodys == 135_080
    house.warehouse.refresh()
    by_month = asked(capsys, "net_revenue", "--by", "month")
    assert {row["month"]: row["net_revenue"] for row in by_month} == BY_MONTH
    assert {row["currency"] for row in by_month} == {"GBP"}
    by_partner = asked(capsys, "net_revenue", "--by", "partner")
    assert sum(row["net_revenue"] for row in by_partner) == NET_MINOR
    assert len(by_partner) == 38
    again = run("online_retail.sh", file)
    assert (again["rows_written"], again["rows_repeated"], again["rows_contradicting"]) == (0, LINES, 0)
    assert [finding for finding in compare(house.warehouse) if not finding.holds] == []


def test_the_clickstream_becomes_events_with_all_that_they_say(run: Run, shared: Path) -> None:
    file = str(shared / "real" / "clickstream" / "ecom.csv.gz")
    assert run("clickstream.sh", file)["rows_written"] == 31_106
    with transaction() as db:
        counted = "count(distinct unit_user), count(distinct session), count(distinct ordinal)"
        assert tuple(db.execute(text(f"select {counted} from event")).one()) == (600, 3_605, 31_106)
        properties = db.execute(text("select properties from event order by id limit 1")).scalar_one()
    assert properties == {
        "platform": "desktop", "acquisition_channel": "email", "user_cohort": "2024-01", "user_lifecycle": "returning"
    }  # fmt: skip
    assert run("clickstream.sh", file)["rows_written"] == 0


@pytest.mark.parametrize(("name", "requests"), [("code", 8_819), ("conv", 19_366)])
def test_a_trace_of_requests_becomes_usage_of_its_model(run: Run, shared: Path, name: str, requests: int) -> None:
    file = shared / "real" / "llm_trace" / f"AzureLLMInferenceTrace_{name}.csv"
    report = run("llm_trace.sh", str(file), "gpt-4o")
    assert report["rows_written"] == requests
    assert report["notes"] == ["Times finer than a microsecond were cut off there."]
    rows = [line.split(",") for line in file.read_text().splitlines()[1:]]
    with transaction() as db:
        told = "distinct model, sum(input_tokens) over (), sum(output_tokens) over ()"
        (known,) = db.execute(text(f"select {told} from usage")).all()
    assert tuple(known) == ("gpt-4o", sum(int(row[1]) for row in rows), sum(int(row[2]) for row in rows))


def test_a_partner_that_comes_with_a_file_is_everywhere_at_once(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("order_id,at,amount,currency,partner\n1,2026-03-01,10,USD,Brand New\n")
    assert main(["import", "sales", str(file), "--create-partners"]) == 0
    capsys.readouterr()
    began = time.monotonic()
    house.warehouse.refresh()
    rows = asked(capsys, "net_revenue", "--by", "partner")
    assert [(row["partner"], row["net_revenue"]) for row in rows] == [("brand-new", 1000)]
    assert time.monotonic() - began < 30
    with transaction() as db:
        assert tuple(db.execute(text("select name, status from partner")).one()) == ("Brand New", "pending")
