"""Loading the demo: through intake, once, and to the end however often it dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text

from core import demo
from core.cli import demo as command
from core.errors import NotAllowed
from core.intake.load import load_frame
from core.viewer import SYSTEM, Viewer
from data import demo as business
from data import postgres

SCALE = 0.02
COUNTED = (
    "partner referral_code organization customer click sale subscription_change event usage spend rate goal "
    "experiment assignment exposure annotation program partner_group audit"
)


def counts() -> dict[str, int]:
    with postgres.transaction() as db:
        return {name: db.execute(text(f"select count(*) from {name}")).scalar_one() for name in COUNTED.split()}


def load(today: date, **options: Any) -> bool:
    return demo.load(postgres.transaction, today=today, scale=SCALE, **options)


def test_the_demo_loads_and_a_second_load_changes_nothing(database: Any, today: date) -> None:
    seen: list[tuple[int, int, str]] = []
    assert load(today, progress=lambda *step: seen.append(step))
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert seen[-1][0] == seen[-1][1]
    frames = dict(business.business(today, scale=SCALE))
    first = counts()
    assert first["sale"] == frames["sales"].height
    assert first["event"] == frames["events"].height
    assert first["customer"] == frames["customers"].height
    assert first["partner"] == frames["partners"].height
    with postgres.transaction() as db:
        assert demo.is_loaded(db)
        assert db.execute(text("select count(*) from sale where house_minor is null")).scalar_one() == 0
        reasons = db.execute(text("select distinct attribution from sale")).scalars().all()
        assert set(reasons) == {"explicit", "referral_code", "coupon", "click", "none"}
        ended = set(db.execute(text("select distinct status from partner")).scalars())
        assert ended == {"active", "pending", "suspended", "terminated"}
    assert not load(today)
    assert not load(date(2026, 5, 1))
    assert counts() == first
    with postgres.transaction() as db:
        report = load_frame(db, SYSTEM, "sales", frames["sales"], source=business.SOURCE)
        assert (report.rows_written, report.rows_contradicting) == (0, 0)


class Died(Exception):
    pass


@pytest.mark.parametrize("where", ["groups", "events"])
def test_a_load_that_stops_between_steps_is_finished_by_the_next(database: Any, today: date, where: str) -> None:
    def stop(done: int, total: int, what: str) -> None:
        if what == where:
            raise Died

    with pytest.raises(Died):
        load(today, progress=stop)
    with postgres.transaction() as db:
        assert not demo.is_loaded(db)
    assert load(date(2026, 9, 9))  # begun as the demo of `today`, and finished as that
    frames = dict(business.business(today, scale=SCALE))
    assert counts()["sale"] == frames["sales"].height
    assert counts()["event"] == frames["events"].height


KILLED = """
import sys
from datetime import date
from core import demo
from data import postgres
postgres.use(postgres.connect(sys.argv[1]))
demo.load(postgres.transaction, today=date.fromisoformat(sys.argv[2]), scale=float(sys.argv[3]),
          progress=lambda done, total, what: print(what, flush=True))
"""


@pytest.mark.parametrize("moment", ["codes", "sales"])
def test_a_load_that_is_killed_is_finished_by_the_next(database: Any, today: date, moment: str) -> None:
    words = [sys.executable, "-c", KILLED, database.url, today.isoformat(), str(SCALE)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as child:
        assert child.stdout is not None
        assert any(line.strip() == moment for line in child.stdout)
        os.kill(child.pid, signal.SIGKILL)
    assert load(today)
    frames = dict(business.business(today, scale=SCALE))
    found = counts()
    for table, kind in (("sale", "sales"), ("event", "events"), ("usage", "usage"), ("referral_code", "codes")):
        assert found[table] == frames[kind].height, table


def test_a_house_with_other_sales_refuses_the_demo(database: Any, today: date) -> None:
    with postgres.transaction() as db:
        load_frame(db, SYSTEM, "sales", a_sale(), source="shop")
    with pytest.raises(demo.HouseInUse, match="empty house"):
        load(today)
    assert counts()["sale"] == 1


def a_sale() -> pl.DataFrame:
    return pl.DataFrame({"order_id": ["1"], "at": ["2026-01-05"], "amount": ["10.00"], "currency": ["USD"]})


def test_only_an_admin_loads_the_demo(database: Any, today: date) -> None:
    analyst = Viewer(SYSTEM.person_id, "Ann", "ann@example.com", frozenset({"analyst"}))
    with pytest.raises(NotAllowed):
        demo.load(postgres.transaction, analyst, today=today, scale=SCALE)
    assert counts()["rate"] == 0


@pytest.mark.parametrize("scale", ["0", "-1", "nan", "inf", "three", "100"])
def test_a_scale_that_cannot_be_meant_is_refused(scale: str) -> None:
    with pytest.raises(command.BadDemo, match="scale"):
        command.part(scale)


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(command.BadDemo, match="2026-03-31"):
        command.day("yesterday")
