"""An import is all or nothing, counts every line once whatever the file looks like, and says what became of each."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from core.errors import NotAllowed, Refusal
from core.intake.load import import_file, load_frame
from core.intake.options import Options
from core.intake.report import BadRows, Report
from core.money import exact, minor_of
from core.viewer import ROLES, Role, Viewer

Take = Callable[..., Report]
Rows = Callable[[str], list[tuple[Any, ...]]]

GOOD = "order_id,at,amount,currency,product\n1,2026-03-01,10.00,USD,tea\n2,2026-03-02,20.50,USD,mug\n"
MIXED = GOOD + "3,2026-03-03,oops,USD,=1+1\n4,1066-10-14,5,XYZ,@x\n5,2026-03-04,-5,USD,pot\n6,2026-03-05,6,USD,cup\n"


# ── all or nothing ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_bad_row_keeps_every_row_out(take: Take, rows: Rows) -> None:
    report = take("sales", MIXED)
    assert report.state == "refused"
    assert report.message.startswith("3 rows cannot be kept; nothing was written. First, line 4, amount: ")
    assert (report.rows_read, report.rows_written, report.rows_refused) == (6, 0, 3)
    assert rows("select count(*) from sale") == [(0,)]
    assert rows("select count(*) from customer") == [(0,)]
    assert rows("select state, rows_read, rows_refused from import_file") == [("refused", 6, 3)]


def test_every_bad_cell_is_reported_with_its_line_and_column(take: Take) -> None:
    bad = [(cell.line, cell.column) for cell in take("sales", MIXED).bad]
    assert sorted(bad) == [(4, "amount"), (5, "amount"), (5, "at"), (5, "currency"), (6, "amount")]


def test_bad_rows_may_be_skipped_and_stand_in_a_file_of_their_own(take: Take, rows: Rows) -> None:
    report = take("sales", MIXED, skip_bad=True, keep_refused=True)
    assert (report.state, report.rows_written, report.rows_refused) == ("done", 3, 3)
    assert report.message == "6 rows read: 3 written, 3 refused."
    assert rows("select order_id from sale order by id") == [("1",), ("2",), ("6",)]
    with open(report.refused_file, newline="", encoding="utf-8") as file:
        kept = list(csv.DictReader(file))
    assert [row["line"] for row in kept] == ["4", "5", "6"]
    assert kept[0]["column"] == "amount"
    assert "is not a plain number" in kept[0]["reason"]
    assert "lies before 1970" in kept[1]["reason"]
    assert "not an ISO 4217 currency" in kept[1]["reason"]


def test_a_file_of_refused_rows_runs_no_formula(take: Take) -> None:
    report = take("sales", MIXED, skip_bad=True, keep_refused=True)
    with open(report.refused_file, newline="", encoding="utf-8") as file:
        kept = list(csv.DictReader(file))
    assert [row["product"] for row in kept] == ["'=1+1", "'@x", "pot"]
    assert kept[2]["amount"] == "-5"


def test_the_refused_rows_mended_are_all_that_is_missing(take: Take, rows: Rows) -> None:
    report = take("sales", MIXED, skip_bad=True, keep_refused=True)
    assert report.rows_written == 3
    mended = MIXED.replace("oops", "7").replace("1066-10-14", "2026-03-03").replace("XYZ", "EUR").replace(",-5,", ",5,")
    again = take("sales", mended)
    assert (again.rows_written, again.rows_repeated) == (3, 3)
    assert rows("select count(distinct order_id), count(*) from sale") == [(6, 6)]


def test_no_file_of_refused_rows_is_left_where_all_are_good(take: Take, tmp_path: Path) -> None:
    assert take("sales", GOOD, keep_refused=True).refused_file == ""
    assert not list(tmp_path.glob("refused*"))


def test_a_thousand_bad_cells_are_listed_and_all_are_counted(take: Take) -> None:
    content = "order_id,at,amount,currency\n" + "1,soon,x,USD\n" * 1_500
    report = take("sales", content, keep_refused=True)
    assert (report.rows_refused, len(report.bad)) == (1_500, 1_000)
    with open(report.refused_file, encoding="utf-8") as file:
        assert sum(1 for _ in file) == 1_501


def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(take: Take, rows: Rows) -> None:
    content = GOOD.replace("product", "partner").replace("\n1,", "\n1,", 1)
    report = take("sales", content, dry_run=True, create_partners=True)
    assert (report.state, report.rows_written, report.partners_created) == ("tried", 2, 2)
    for table in ("sale", "import_file", "import_mapping", "partner", "audit"):
        assert rows(f"select count(*) from {table}") == [(0,)]
    assert take("sales", MIXED, dry_run=True).state == "refused"
    assert rows("select count(*) from import_file") == [(0,)]


def test_a_frame_with_bad_rows_is_refused_with_its_report(db: Connection, admin: Viewer) -> None:
    frame = pl.DataFrame({"order_id": ["1"], "at": ["2026-03-01"], "amount": ["x"], "currency": ["USD"]})
    with pytest.raises(BadRows) as refusal:
        load_frame(db, admin, "sales", frame, source="shop")
    assert refusal.value.report.bad[0].column == "amount"


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_only_admins_import(db: Connection, admin: Viewer, tmp_path: Path, role: Role) -> None:
    other = Viewer(admin.person_id, "Rob", "rob@example.com", frozenset({role}), origin="test")
    path = tmp_path / "a.csv"
    path.write_text(GOOD)
    with pytest.raises(NotAllowed):
        import_file(db, other, "sales", path)
    with pytest.raises(NotAllowed):
        load_frame(db, other, "sales", pl.read_csv(path), source="shop")


@pytest.mark.parametrize("source", ["", "  ", "x" * 61, "a\nb", "a\0b"])
def test_a_source_has_a_plain_name(take: Take, source: str) -> None:
    with pytest.raises(Refusal, match="A source is called by"):
        take("sales", GOOD, source=source)


# ── again ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_file_again_changes_nothing(take: Take, rows: Rows) -> None:
    take("sales", GOOD + GOOD.partition("\n")[2])
    before = rows("select * from sale order by id")
    again = take("sales", GOOD + GOOD.partition("\n")[2])
    assert (again.state, again.rows_written, again.rows_repeated, again.rows_contradicting) == ("done", 0, 4, 0)
    assert again.message == "4 rows read: 0 written, 4 were there before."
    assert rows("select * from sale order by id") == before


def test_identical_lines_all_count(take: Take, rows: Rows) -> None:
    line = "1,2026-03-01,10.00,USD,tea\n"
    take("sales", "order_id,at,amount,currency,product\n" + line * 3)
    assert rows("select count(*), sum(amount_minor) from sale") == [(3, 3000)]


def test_a_longer_file_adds_only_what_is_new(take: Take, rows: Rows) -> None:
    line = "1,2026-03-01,10.00,USD,tea\n"
    take("sales", GOOD)
    longer = take("sales", GOOD + line + "7,2026-03-07,7,USD,jar\n" + line)
    assert (longer.rows_written, longer.rows_repeated) == (3, 2)
    assert rows("select sum(amount_minor) from sale") == [(1000 * 3 + 2050 + 700,)]


def test_a_file_that_is_sorted_otherwise_adds_nothing(take: Take) -> None:
    header, *lines = (GOOD + "1,2026-03-01,10.00,USD,tea\n").splitlines(keepends=True)
    take("sales", header + "".join(lines))
    assert take("sales", header + "".join(lines[1:] + lines[:1])).rows_written == 0


lines_of_a_shop = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["1", "2.50"]), st.sampled_from(["tea", "mug"])), max_size=12
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=lines_of_a_shop, later=lines_of_a_shop, seed=st.integers(0, 99))
def test_rows_and_columns_in_any_order_are_the_same_rows(
    db: Connection, admin: Viewer, first: list[tuple[str, ...]], later: list[tuple[str, ...]], seed: int
) -> None:
    def frame(lines: list[tuple[str, ...]]) -> pl.DataFrame:
        columns = list(zip(*lines, strict=True)) or [(), (), ()]
        names = ("order_id", "amount", "product")
        told = {name: pl.Series(name, column, dtype=pl.String) for name, column in zip(names, columns, strict=True)}
        return pl.DataFrame(told).with_columns(at=pl.lit("2026-03-01"), currency=pl.lit("USD"))

    db.execute(text("delete from sale"))
    load_frame(db, admin, "sales", frame(first), source="shop")
    draw = random.Random(seed)
    mixed = [*first, *later]
    draw.shuffle(mixed)
    shuffled = frame(mixed)
    longer = load_frame(db, admin, "sales", shuffled.select(draw.sample(shuffled.columns, 5)), source="shop")
    assert (longer.rows_written, longer.rows_repeated, longer.rows_contradicting) == (len(later), len(first), 0)
    kept = db.execute(text("select order_id, amount_minor, product from sale")).all()
    assert sorted(map(tuple, kept)) == sorted((o, minor_of(exact(a), "USD"), p) for o, a, p in mixed)


def test_the_same_rows_from_another_source_are_other_rows(take: Take, rows: Rows) -> None:
    take("sales", GOOD)
    assert take("sales", GOOD, source="till").rows_written == 2
    assert rows("select count(*) from sale") == [(4,)]


OWN = "id,order_id,at,amount,currency,product\na,1,2026-03-01,10.00,USD,tea\nb,2,2026-03-02,20.00,USD,mug\n"


def test_a_row_that_says_something_else_now_is_reported_and_the_first_stays(take: Take, rows: Rows) -> None:
    take("sales", OWN)
    again = take("sales", OWN.replace("20.00", "99.00").replace("mug", "cup"))
    assert (again.state, again.rows_written, again.rows_repeated, again.rows_contradicting) == ("done", 0, 2, 1)
    ((line, columns),) = [(cell.line, cell.column) for cell in again.contradictions]
    assert line == 3
    assert set(columns.split(", ")) == {"amount", "product"}
    assert rows("select amount_minor, product from sale order by id") == [(1000, "tea"), (2000, "mug")]


def test_another_partner_for_a_row_met_before_is_a_contradiction(take: Take, rows: Rows) -> None:
    told = OWN.replace("product", "partner").replace("tea", "acme").replace("mug", "acme")
    take("sales", told, create_partners=True)
    again = take("sales", told.replace("USD,acme\nb", "USD,borealis\nb"), create_partners=True)
    assert again.rows_contradicting == 1
    assert [(cell.line, cell.column) for cell in again.contradictions] == [(2, "partner")]
    assert rows("select distinct p.code from sale join partner p on p.id = partner_id") == [("acme",)]


def test_two_rows_of_one_file_under_one_id_that_disagree_are_reported(take: Take, rows: Rows) -> None:
    report = take("sales", OWN + "a,1,2026-03-01,11.00,USD,tea\n")
    assert (report.rows_written, report.rows_repeated, report.rows_contradicting) == (2, 1, 1)
    assert report.contradictions[0].line == 4
    assert rows("select sum(amount_minor) from sale") == [(3000,)]


# ── mapping ────────────────────────────────────────────────────────────────────────────────────────────────────────

FOREIGN = "Invoice No.,Order Date,Total,Currency Code,SKU,Wer\n1,2026-03-01,10,EUR,tea,acme\n"


def test_a_mapping_is_suggested_by_the_names_of_the_columns(take: Take) -> None:
    assert take("sales", FOREIGN).columns == {
        "order_id": "Invoice No.", "at": "Order Date", "amount": "Total", "currency": "Currency Code", "product": "SKU"
    }  # fmt: skip


def test_what_was_mapped_is_remembered_for_the_source_and_no_other(take: Take, rows: Rows) -> None:
    take("sales", FOREIGN, mapping={"partner": "Wer"}, create_partners=True)
    again = take("sales", FOREIGN + "2,2026-03-02,20,EUR,mug,acme\n")
    assert again.columns["partner"] == "Wer"
    assert (again.rows_written, again.rows_repeated) == (1, 1)
    assert "partner" not in take("sales", FOREIGN, source="other").columns
    assert rows("select count(*) from sale where partner_id is not null") == [(2,)]


def test_fixed_values_are_remembered_too(take: Take, rows: Rows) -> None:
    content = "order_id,at,amount\n1,2026-03-01,10\n"
    take("sales", content, constants={"currency": "JPY"})
    assert take("sales", content + "2,2026-03-01,20\n").rows_written == 1
    assert rows("select distinct currency from sale") == [("JPY",)]


def test_other_columns_for_rows_without_an_id_are_refused_before_they_count_twice(take: Take, rows: Rows) -> None:
    take("sales", FOREIGN)
    report = take("sales", FOREIGN, mapping={"partner": "Wer"}, create_partners=True)
    assert report.state == "refused"
    assert "would count them twice" in report.message
    assert rows("select count(*) from sale") == [(1,)]


def test_rates_may_come_with_one_more_column_than_last_time(take: Take, rows: Rows) -> None:
    take("rates", "day,from,to,rate\n2026-03-01,EUR,USD,1.1\n")
    assert take("rates", "day,from,to,rate,source\n2026-03-02,EUR,USD,1.2,bank\n").state == "done"
    assert rows("select source from rate order by day") == [("shop",), ("bank",)]


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"mapping": {"amuont": "Total"}}, "have no field “amuont”"),
        ({"mapping": {"partner": "Who"}}, "has no column “Who”"),
        ({"mapping": {"amount": "Total", "price": "Total"}}, "not for both"),
        ({"mapping": {"currency": "SKU"}, "constants": {"currency": "EUR"}}, "choose one"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(take: Take, chosen: dict[str, Any], sentence: str) -> None:
    report = take("sales", FOREIGN, **chosen)
    assert report.state == "refused"
    assert sentence in report.message


# ── derived values ─────────────────────────────────────────────────────────────────────────────────────────────────

PRICED = "order_id,at,quantity,price,currency\n"
quantities = st.integers(-(10**6), 10**6).map(str)
prices = st.decimals(0, 10**5, places=3, allow_nan=False, allow_infinity=False).map(lambda price: format(price, "f"))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.tuples(quantities, prices, st.sampled_from(["GBP", "JPY", "KWD"])), min_size=1, max_size=30, unique=True
    )
)
def test_quantity_times_price_is_what_core_money_makes_of_it(
    db: Connection, admin: Viewer, lines: list[tuple[str, str, str]]
) -> None:
    db.execute(text("delete from sale"))
    frame = pl.DataFrame(lines, schema=["quantity", "price", "currency"], orient="row").with_columns(
        at=pl.lit("2026-03-01"), order_id=pl.int_range(pl.len()).cast(pl.String)
    )
    load_frame(db, admin, "sales", frame, source="shop", options=Options(kinds=("negative=adjustment",)))
    kept = db.execute(text("select order_id, amount_minor from sale")).all()
    expected = {str(n): minor_of(exact(q) * exact(p), c, rounding=True) for n, (q, p, c) in enumerate(lines)}
    assert {row.order_id: row.amount_minor for row in kept} == expected


def test_three_decimals_round_half_away_from_zero_line_by_line(take: Take, rows: Rows) -> None:
    take("sales", PRICED + "1,2026-03-01,1,0.125,GBP\n2,2026-03-01,-1,0.125,GBP\n", kinds=("negative=refund",))
    assert rows("select kind, amount_minor from sale order by id") == [("sale", 13), ("refund", -13)]


def test_an_amount_finer_than_its_currency_is_refused_unless_rounding_was_chosen(take: Take, rows: Rows) -> None:
    content = "order_id,at,amount,currency\n1,2026-03-01,1.005,USD\n"
    assert take("sales", content).state == "refused"
    assert take("sales", content, rounding=True).rows_written == 1
    assert rows("select amount_minor from sale") == [(101,)]


def test_the_first_rule_that_fits_tells_the_kind(take: Take, rows: Rows) -> None:
    content = PRICED + "C1,2026-03-01,-1,2,GBP\nA1,2026-03-01,1,-2,GBP\n3,2026-03-01,-1,0,GBP\n4,2026-03-01,1,2,GBP\n"
    take("sales", content, kinds=("C*=refund", "A*=adjustment", "negative=adjustment"))
    assert rows("select order_id, kind, amount_minor from sale order by id") == [
        ("C1", "refund", -200), ("A1", "adjustment", -200), ("3", "adjustment", 0), ("4", "sale", 200)
    ]  # fmt: skip


def test_a_negative_row_that_no_rule_explains_is_refused(take: Take) -> None:
    report = take("sales", PRICED + "1,2026-03-01,-1,2,GBP\n")
    assert "A sale is not negative; name its kind" in report.message


# ── partners ───────────────────────────────────────────────────────────────────────────────────────────────────────

LANDS = "order_id,at,amount,currency,Country\n1,2026-03-01,10,GBP,France\n2,2026-03-01,10,GBP,Côte d'Ivoire\n"


def test_an_unknown_partner_is_refused(take: Take, rows: Rows) -> None:
    report = take("sales", LANDS, mapping={"partner": "Country"})
    assert report.state == "refused"
    assert "There is no partner “France”" in report.message
    assert rows("select count(*) from partner") == [(0,)]


def test_unknown_partners_are_enrolled_as_pending_where_that_is_chosen(take: Take, rows: Rows) -> None:
    report = take("sales", LANDS, mapping={"partner": "Country", "country": "Country"}, create_partners=True)
    assert (report.rows_written, report.partners_created) == (2, 2)
    told = rows("select p.name, p.status, s.country, s.attribution from sale s join partner p on p.id = s.partner_id")
    assert sorted(told) == [
        ("Côte d'Ivoire", "pending", "Côte d'Ivoire", "explicit"), ("France", "pending", "France", "explicit")
    ]  # fmt: skip
    assert rows("select count(*) from audit where act = 'partner.enrolled'") == [(2,)]


def test_a_row_that_is_refused_enrols_nobody(take: Take, rows: Rows) -> None:
    content = LANDS + "3,2026-03-01,oops,GBP,Nowhere\n"
    report = take("sales", content, mapping={"partner": "Country"}, create_partners=True, skip_bad=True)
    assert (report.rows_written, report.rows_refused, report.partners_created) == (2, 1, 2)
    assert [cell.column for cell in report.bad] == ["amount"]
    assert rows("select count(*) from partner where name = 'Nowhere'") == [(0,)]


def test_a_refused_import_enrols_nobody(take: Take, rows: Rows) -> None:
    content = LANDS + "3,2026-03-01,oops,GBP,France\n"
    report = take("sales", content, mapping={"partner": "Country"}, create_partners=True)
    assert (report.state, report.partners_created) == ("refused", 0)
    assert rows("select count(*) from partner") == [(0,)]


# ── refunds ────────────────────────────────────────────────────────────────────────────────────────────────────────

SALE = "id,order_id,at,amount,currency,kind,refunds,partner\n"
SOLD = "s1,1,2026-03-01,10.00,USD,sale,,acme\n"
BACK = "r1,1,2026-04-02,-4.00,USD,refund,s1,\n"
LINKED = """select r.refunds = s.id, r.partner_id = s.partner_id, r.attribution
            from sale r left join sale s on s.source_id = 's1' where r.source_id = 'r1'"""


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("order", [[SOLD + BACK], [BACK + SOLD], [SOLD, BACK], [BACK, SOLD]])
def test_a_refund_finds_its_sale_and_its_partner_whichever_comes_first(
    take: Take, rows: Rows, order: list[str]
) -> None:
    for part in order:
        assert take("sales", SALE + part).state == "done"
    assert rows(LINKED) == [(True, True, "explicit")]
    assert rows("select sum(amount_minor) from sale") == [(600,)]


def test_a_refund_whose_sale_is_unknown_counts_and_waits(take: Take, rows: Rows) -> None:
    take("sales", SALE + BACK)
    assert rows("select refunds, refunds_source_id, amount_minor, attribution from sale") == [
        (None, "s1", -400, "none")
    ]


# ── days ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("acme")
def test_a_business_day_is_that_of_the_program_else_of_the_house(take: Take, rows: Rows) -> None:
    take(
        "sales",
        "order_id,at,amount,currency,partner\n"
        "late,2026-03-01 23:30:00-05:00,1,USD,acme\n"
        "house,2026-03-01 23:30:00-05:00,1,USD,\n",
    )
    assert rows("select order_id, business_day::text from sale order by id") == [
        ("late", "2026-03-01"), ("house", "2026-03-02")
    ]  # fmt: skip


def test_times_without_a_zone_are_read_in_the_zone_that_is_told(take: Take, rows: Rows) -> None:
    content = "order_id,at,amount,currency\n1,2026-03-01 23:30,1,USD\n2,2026-03-01 23:30Z,1,USD\n"
    take("sales", content, timezone="America/New_York")
    assert rows("select at at time zone 'UTC', business_day::text from sale order by id") == [
        (datetime(2026, 3, 2, 4, 30), "2026-03-02"), (datetime(2026, 3, 1, 23, 30), "2026-03-01")  # noqa: DTZ001
    ]  # fmt: skip


@pytest.mark.parametrize("day", ["1066-10-14", "1969-12-31"])
def test_a_day_long_ago_is_refused(take: Take, day: str) -> None:
    assert "lies before 1970" in take("sales", GOOD.replace("2026-03-01", day)).message


def test_a_day_ahead_is_refused(take: Take) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    assert "more than two days ahead" in take("sales", GOOD.replace("2026-03-01", ahead)).message


# ── whose it is, and why ───────────────────────────────────────────────────────────────────────────────────────────

CLICKS = "code,visitor,at\nacme10,v1,2026-03-01 10:00:00\n"
WHOSE = """at,amount,currency,order_id,partner,referral_code,coupon,visitor
2026-03-02,1,USD,explicit,acme,other,acme-coupon,v1
2026-03-02,1,USD,code,,ACME10,acme-coupon,v1
2026-03-02,1,USD,coupon,,,Acme-Coupon,v1
2026-03-08 10:00:00,1,USD,click,,,,v1
2026-03-08 10:00:01,1,USD,a second late,,,,v1
2026-03-01 09:59:59,1,USD,a second early,,,,v1
2026-03-02,1,USD,stranger,,,,v2
2026-03-02,1,USD,unknown code,,nobodys,,
2026-03-02,1,USD,none,,,,
"""


@pytest.mark.usefixtures("acme")
def test_whose_a_sale_is_and_why_is_kept_with_it(take: Take, rows: Rows) -> None:
    take("clicks", CLICKS)
    take("sales", WHOSE)
    assert rows("select order_id, attribution, attribution_note, partner_id is null from sale order by id") == [
        ("explicit", "explicit", "", False),
        ("code", "referral_code", "acme10", False),
        ("coupon", "coupon", "acme-coupon", False),
        ("click", "click", "acme10 2026-03-01T10:00:00Z", False),
        ("a second late", "none", "", True),
        ("a second early", "none", "", True),
        ("stranger", "none", "", True),
        ("unknown code", "none", "", True),
        ("none", "none", "", True),
    ]


# ── text ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12), max_size=8))
def test_any_text_is_kept_as_it_is(db: Connection, admin: Viewer, words: list[str]) -> None:
    db.execute(text("delete from sale"))
    words = [*words, "\\.", "a\n\\.\nb", '"', "\\N", "null", "a,b", "\r\n\r"]
    frame = pl.DataFrame({"product": words}).with_columns(
        at=pl.lit("2026-03-01"), amount=pl.lit("1"), currency=pl.lit("USD"), order_id=pl.int_range(pl.len()) + 1
    )
    load_frame(db, admin, "sales", frame, source="shop")
    kept = db.execute(text("select product from sale order by cast(order_id as bigint)")).scalars().all()
    assert kept == [word.strip(" \t\r\n") for word in words]
