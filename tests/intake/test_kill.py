"""Sudden death: an import that is killed anywhere leaves nothing behind, and the next one does the whole work."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.intake.load import import_file
from core.intake.options import Options
from core.runtime import House, transaction
from core.viewer import SYSTEM
from data.check import compare

ROWS = 3_000
POINTS = ("batch", "staged", "customers", "settled", "recorded")
TABLES = ("sale", "customer", "organization", "partner", "import_file", "import_mapping", "audit")

CHILD = """
import os, signal, sys
from pathlib import Path
from core.intake import load
from core.intake.options import Options
from core.viewer import SYSTEM
from data import postgres

url, path, point = sys.argv[1:]

def die(at):
    if at == point:
        os.kill(os.getpid(), signal.SIGKILL)

postgres.use(postgres.connect(url))
load.reached = die
print('importing', flush=True)
with postgres.transaction() as db:
    load.import_file(db, SYSTEM, 'sales', Path(path), source='shop', options=Options(create_partners=True))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = ["id,order_id,at,amount,currency,kind,refunds,customer,organization,partner"]
    for n in range(ROWS):
        who = f"c{n % 97},o{n % 7},partner {n % 5}"
        lines.append(f"s{n},{n // 3},2026-03-{n % 28 + 1:02},{n}.50,EUR,sale,,{who}")
        if n % 10 == 0:
            lines.append(f"r{n},{n // 3},2026-03-28,-{n}.50,EUR,refund,s{n},{who}")
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def stored() -> dict[str, int]:
    with transaction() as db:
        return {name: db.execute(text(f"select count(*) from {name}")).scalar_one() for name in TABLES}


def start(house: House, file: Path, point: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", CHILD, house.database_url, str(file), point]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def take_in(file: Path) -> Any:
    with transaction() as db:
        return import_file(db, SYSTEM, "sales", file, source="shop", options=Options(create_partners=True))


@pytest.mark.faults
def test_an_import_that_is_killed_at_any_step_leaves_nothing_and_the_next_does_it_all(house: House, file: Path) -> None:
    before = stored()
    for point in POINTS:
        child = start(house, file, point)
        said, wrong = child.communicate(timeout=120)
        assert child.returncode == -signal.SIGKILL, f"{point} was not reached: {wrong}"
        assert said == "importing\n"
        assert stored() == before, f"killed at {point}"
    report = take_in(file)
    assert (report.state, report.rows_written, report.partners_created) == ("done", ROWS + ROWS // 10, 5)
    assert [finding for finding in compare(house.warehouse) if not finding.holds] == []
    after = stored()
    child = start(house, file, "recorded")
    child.communicate(timeout=120)
    assert stored() == after
    assert take_in(file).rows_written == 0


@pytest.mark.faults
def test_an_import_that_is_killed_at_any_moment_is_there_wholly_or_not_at_all(
    house: House, file: Path, kills: int
) -> None:
    draw = random.Random(4)
    for _ in range(kills):
        child = start(house, file, "never")
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(draw.uniform(0, 0.6))
        child.kill()
        child.communicate(timeout=120)
        assert stored()["sale"] in (0, ROWS + ROWS // 10)
    take_in(file)
    with transaction() as db:
        totals = db.execute(text("select count(*), sum(amount_minor), count(refunds) from sale")).one()
    whole = sum(100 * n + 50 for n in range(ROWS))
    back = sum(100 * n + 50 for n in range(0, ROWS, 10))
    assert tuple(totals) == (ROWS + ROWS // 10, whole - back, ROWS // 10)
    assert [finding for finding in compare(house.warehouse) if not finding.holds] == []
