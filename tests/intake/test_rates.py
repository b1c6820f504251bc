"""An amount in the house currency is locked to the rate of its day, rounded once, and found again whatever came first.

The house currency is USD here; all rates are made up.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from core.intake.load import load_frame
from core.intake.report import Report
from core.money import convert
from core.viewer import Viewer

Take = Callable[..., Report]
Rows = Callable[[str], list[tuple[Any, ...]]]

RATES = "day,from,to,rate\n"
SALES = "id,order_id,at,amount,currency,kind,refunds\n"
HOUSE = "select order_id, house_minor from sale order by order_id"


def sold(order: str, day: str, currency: str = "EUR", amount: str = "100") -> str:
    return f"{order},{order},{day},{amount},{currency},sale,\n"


def taken_back(order: str, sale: str, day: str, currency: str = "EUR", amount: str = "-100") -> str:
    return f"{order},{order},{day},{amount},{currency},refund,{sale}\n"


def test_a_row_takes_the_rate_of_its_day_else_of_the_seven_days_before(take: Take, rows: Rows) -> None:
    take("rates", RATES + "2026-03-10,EUR,USD,1.10\n2026-03-12,EUR,USD,1.20\n")
    days = ("09", "10", "11", "12", "13", "19", "20")
    take("sales", SALES + "".join(sold(f"d{day}", f"2026-03-{day}") for day in days))
    assert rows(HOUSE) == [
        ("d09", None), ("d10", 11000), ("d11", 11000), ("d12", 12000), ("d13", 12000), ("d19", 12000), ("d20", None)
    ]  # fmt: skip


def test_a_missing_direction_is_the_inverse_of_the_other_and_the_direct_one_comes_first(take: Take, rows: Rows) -> None:
    take("rates", RATES + "2026-03-10,USD,EUR,0.8\n2026-03-10,USD,GBP,0.5\n2026-03-10,GBP,USD,3\n")
    take("sales", SALES + sold("eur", "2026-03-10") + sold("gbp", "2026-03-10", "GBP"))
    assert rows(HOUSE) == [("eur", 12500), ("gbp", 30000)]


def test_no_rate_is_found_through_a_third_currency(take: Take, rows: Rows) -> None:
    take("rates", RATES + "2026-03-10,EUR,GBP,0.9\n2026-03-10,GBP,USD,1.3\n")
    take("sales", SALES + sold("eur", "2026-03-10"))
    assert rows(HOUSE) == [("eur", None)]


def test_the_house_currency_needs_no_rate(take: Take, rows: Rows) -> None:
    take("sales", SALES + sold("usd", "2026-03-10", "USD", "12.34"))
    assert rows("select house_minor, rate_id from sale") == [(1234, None)]


def test_a_known_rate_never_changes(take: Take, rows: Rows) -> None:
    take("rates", RATES + "2026-03-10,EUR,USD,1.10\n")
    report = take("rates", RATES + "2026-03-10,EUR,USD,1.11\n2026-03-11,EUR,USD,1.12\n")
    assert (report.state, report.rows_written) == ("refused", 0)
    assert report.message.startswith("A known value never changes; nothing was written. First, line 2: rate.")
    assert rows("select day::text, rate::text from rate") == [("2026-03-10", "1.100000000000")]


def test_the_same_rates_again_change_nothing(take: Take) -> None:
    content = RATES + "2026-03-10,EUR,USD,1.10\n"
    take("rates", content)
    again = take("rates", content)
    assert (again.state, again.rows_written, again.rows_repeated) == ("done", 0, 1)


def test_two_rates_of_one_file_for_one_day_refuse_it(take: Take, rows: Rows) -> None:
    report = take("rates", RATES + "2026-03-10,EUR,USD,1.10\n2026-03-10,EUR,USD,1.11\n")
    assert report.state == "refused"
    assert rows("select count(*) from rate") == [(0,)]


def test_rates_that_come_late_price_what_waits_and_nothing_else(take: Take, rows: Rows) -> None:
    take("rates", RATES + "2026-03-10,EUR,USD,1.10\n")
    take("sales", SALES + sold("a", "2026-03-12") + sold("b", "2026-03-30") + sold("c", "2026-03-10", "GBP"))
    take("spend", "day,channel,amount,currency\n2026-03-30,search,10,EUR\n")
    late = take("rates", RATES + "2026-03-12,EUR,USD,2\n2026-03-29,EUR,USD,3\n")
    assert late.rows_priced == 2
    assert rows(HOUSE) == [("a", 11000), ("b", 30000), ("c", None)]
    assert rows("select house_minor from spend") == [(3000,)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_refund_has_its_sales_rate_in_whatever_order_they_come(
    take: Take, rows: Rows, order: tuple[int, ...]
) -> None:
    steps = [
        ("sales", SALES + sold("s", "2026-03-10")),
        ("sales", SALES + taken_back("r", "s", "2026-04-10")),
        ("rates", RATES + "2026-03-10,EUR,USD,1.10\n"),
        ("rates", RATES + "2026-04-10,EUR,USD,1.50\n"),
    ]
    for n in order:
        assert take(*steps[n]).state == "done"
    assert rows(HOUSE) == [("r", -11000), ("s", 11000)]
    assert rows("select count(distinct rate_id) from sale") == [(1,)]


def test_a_dispute_won_has_the_rate_of_the_dispute_and_so_of_the_sale(take: Take, rows: Rows) -> None:
    take("rates", RATES + "2026-03-10,EUR,USD,1.10\n2026-04-10,EUR,USD,1.50\n2026-05-10,EUR,USD,1.70\n")
    lost = taken_back("d", "s", "2026-04-10").replace("refund", "dispute")
    won = taken_back("w", "d", "2026-05-10", amount="100").replace("refund", "dispute_won")
    take("sales", SALES + won + lost + sold("s", "2026-03-10"))
    assert rows(HOUSE) == [("d", -11000), ("s", 11000), ("w", 11000)]


def test_a_refund_in_another_currency_than_its_sale_takes_the_rate_of_its_own_day(take: Take, rows: Rows) -> None:
    take("rates", RATES + "2026-03-10,EUR,USD,1.10\n2026-04-10,GBP,USD,1.30\n")
    take("sales", SALES + sold("s", "2026-03-10") + taken_back("r", "s", "2026-04-10", "GBP"))
    assert rows(HOUSE) == [("r", -13000), ("s", 11000)]


amounts = st.tuples(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD"]))
rates_of_a_day = st.decimals("0.000001", "1000", places=6).map(lambda rate: format(rate, "f"))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sales=st.lists(amounts, min_size=1, max_size=20),
    quoted=st.lists(rates_of_a_day, min_size=3, max_size=3),
    is_inverse=st.booleans(),
)
def test_an_amount_is_converted_exactly_and_rounded_once(
    db: Connection, admin: Viewer, sales: list[tuple[int, str]], quoted: list[str], is_inverse: bool
) -> None:
    db.execute(text("delete from sale"))
    db.execute(text("delete from rate"))
    of = dict(zip(["EUR", "JPY", "KWD"], quoted, strict=True))
    pairs = [("USD", c, r) if is_inverse else (c, "USD", r) for c, r in of.items()]
    table = pl.DataFrame(pairs, schema=["from", "to", "rate"], orient="row").with_columns(day=pl.lit("2026-03-10"))
    load_frame(db, admin, "rates", table, source="bank")
    digits = {"EUR": 2, "JPY": 0, "KWD": 3}
    frame = pl.DataFrame(
        {
            "order_id": [str(n) for n in range(len(sales))],
            "amount": [plain(minor, digits[currency]) for minor, currency in sales],
            "currency": [currency for _, currency in sales],
        }
    ).with_columns(at=pl.lit("2026-03-10"), kind=pl.lit("adjustment"))
    load_frame(db, admin, "sales", frame, source="shop")
    kept = db.execute(text("select house_minor from sale order by cast(order_id as bigint)")).scalars().all()
    rate = {c: 1 / Fraction(r) if is_inverse else Fraction(r) for c, r in of.items()}
    assert kept == [convert(minor, currency, "USD", rate[currency]) for minor, currency in sales]


def plain(minor: int, digits: int) -> str:
    whole = str(abs(minor)).rjust(digits + 1, "0")
    text_ = whole if not digits else f"{whole[:-digits]}.{whole[-digits:]}"
    return f"-{text_}" if minor < 0 else text_


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("2026-03-10,EUR,USD,0", "is not above zero"),
        ("2026-03-10,EUR,USD,-1", "is not above zero"),
        ("2026-03-10,EUR,USD,NaN", "is not a plain number"),
        ("2026-03-10,EUR,EUR,1", "stands on both sides"),
        ("2026-03-10,EUR,XXX,1", "not an ISO 4217 currency"),
        ("1066-10-14,EUR,USD,1", "lies before 1970"),
        ("2026-03-10,EUR,USD,1.0000000000001", "more digits than can be kept exactly"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(take: Take, rows: Rows, row: str, sentence: str) -> None:
    report = take("rates", RATES + row + "\n")
    assert report.state == "refused"
    assert sentence in report.message
    assert rows("select count(*) from rate") == [(0,)]
