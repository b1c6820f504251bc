"""Overview, Revenue and Earnings, run without a browser: filters, numbers, and what is said where there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from streamlit.testing.v1 import AppTest

from core import insights
from core.growth import goals
from core.partners import registry
from core.runtime import House, transaction
from core.viewer import SYSTEM
from pages.parts import filters, session, tables
from pages.parts import lines as drilled

PAGES = Path(session.__file__).resolve().parents[1]
FILES = {"overview": "executive/overview.py", "revenue": "executive/revenue.py", "earnings": "partner/earnings.py"}
HOSTILE = "**bold** <img src=x onerror=alert(1)> ![x](https://evil.example/a.png) $x^2$ :smile: `=1+1`"

Open = Callable[..., AppTest]


def back(days: int) -> date:
    return insights.today() - timedelta(days=days)


def line(number: int, days: int, amount: str = "10.00", **more: Any) -> dict[str, Any]:
    sold = {"order_id": f"o{number}", "at": f"{back(days)}T12:00:00Z", "amount": amount, "currency": "USD"}
    return {**sold, "partner": "acme", "customer": f"c{number % 3}", "product": "Tea", "country": "DE", **more}


@pytest.fixture
def acme(house: House) -> None:
    with transaction() as db:
        for code in ("acme", "birch"):
            registry.enrol(db, SYSTEM, {"code": code, "name": code.title(), "type": "affiliate", "status": "active"})
    house.warehouse.refresh()


@pytest.fixture
def opened(house: House, acme: None, signed_in: Callable[..., UUID]) -> Open:
    """Opens a page as who reads it, with the words of its address."""

    def run(name: str, *, role: str = "", partners: tuple[str, ...] = ("acme",), **address: Any) -> AppTest:
        screen = AppTest.from_file(PAGES / FILES[name], default_timeout=60)
        whose = role or ("partner" if name == "earnings" else "executive")
        signed_in(screen, whose, partners=partners if whose == "partner" else (), name=f"Ana {uuid4().hex[:6]}")
        screen.query_params.update(address)
        return fine(screen.run())

    return run


def fine(screen: AppTest) -> AppTest:
    assert not screen.exception, [error.value for error in screen.exception]
    return screen


def cards(screen: AppTest) -> dict[str, tuple[str, str]]:
    return {card.label.removeprefix(":gray[").removesuffix("]"): (card.value, card.delta) for card in screen.metric}


def said(screen: AppTest) -> str:
    return " ".join(line.value for line in [*screen.markdown, *screen.caption, *screen.info, *screen.warning])


def lines(screen: AppTest) -> list[str]:
    table = next((frame.value for frame in screen.dataframe if "order_id" in frame.value), None)
    return [] if table is None else list(table["order_id"])


@pytest.mark.parametrize("name", FILES)
def test_one_partner_and_one_sale_are_a_whole_page(opened: Open, sell: Any, house: House, name: str) -> None:
    sell(house, [line(1, 3)])
    screen = opened(name)
    assert cards(screen)["Net revenue"] == ("$10.00", "")
    assert cards(screen)["Orders"][0] == "1"
    assert "nothing to compare with" in said(screen)
    if name != "overview":
        assert lines(screen) == ["o1"]
        assert r"1 line that adds up to **\$10\.00**" in said(screen)


@pytest.mark.parametrize("name", FILES)
def test_sales_that_add_up_to_nothing_are_no_fault(opened: Open, sell: Any, house: House, name: str) -> None:
    sell(house, [line(1, 3, "0.00"), line(2, 40, "0.00"), line(3, 2, "0.00", kind="refund")])
    screen = opened(name, period="30D")
    assert cards(screen)["Net revenue"][0] == "$0.00"
    assert cards(screen)["Refund rate" if name != "revenue" else "Refunds"][0] in ("–", "$0.00")


def test_what_was_taken_back_alone_is_a_loss(opened: Open, sell: Any, house: House) -> None:
    sell(house, [line(1, 3, "-5.00", kind="refund"), line(2, 45, "10.00")])
    screen = opened("revenue", period="30D")
    assert cards(screen)["Net revenue"][0] == "-$5.00"
    assert lines(screen) == ["o1"]


@pytest.mark.parametrize("name", FILES)
def test_a_period_without_a_sale_says_so_and_what_to_do(opened: Open, sell: Any, house: House, name: str) -> None:
    sell(house, [line(1, 20)])
    screen = opened(name, period="Custom", since=str(back(5)), until=str(back(1)))
    assert "No sales in this period and filter. Widen them above." in said(screen)
    assert cards(screen)["Net revenue"][0] == "–"


def test_today_is_not_over_and_is_marked(opened: Open, sell: Any, house: House) -> None:
    sell(house, [line(1, 0), line(2, 1), line(3, 60)])
    assert "The pale bar is not over yet." in said(opened("revenue", period="30D"))
    screen = opened("revenue", period="Custom", since=str(back(1)), until=str(back(1)))
    assert "pale" not in said(screen).lower()


def test_data_that_ended_years_ago_is_looked_at_up_to_its_end(opened: Open, sell: Any, house: House) -> None:
    """Nine days of December are no collapse."""
    days = [date(2010, 11, 28) + timedelta(days=7 * week) for week in range(54)]
    sell(house, [{**line(n, 0), "at": f"{day}T10:00:00Z"} for n, day in enumerate([*days, date(2011, 12, 9)])])
    screen = opened("revenue", period="12M")
    assert "Jan 1 – Dec 9, 2011" in said(screen)
    assert "The data ends on Dec 9, 2011; periods end there" in said(screen)
    assert "Pale bars hold only a part of their month; the last one ends on Dec 9, 2011." in said(screen)


def test_a_range_to_date_is_compared_with_the_same_days_before(opened: Open, sell: Any, house: House) -> None:
    sell(
        house,
        [{**line(n, 0), "at": f"{day}T10:00:00Z"} for n, day in enumerate(["2009-12-01", "2010-12-10", "2011-12-09"])],
    )
    screen = opened("revenue", period="Custom", since="2011-01-01", until="2011-12-09")
    assert "Jan 1 – Dec 9, 2011, compared with Jan 1 – Dec 9, 2010" in said(screen)
    assert cards(screen)["Net revenue"] == ("$10.00", "")


class TestCurrencies:
    @pytest.fixture(autouse=True)
    def sales(self, house: House, acme: None, sell: Any) -> None:
        rate = {"day": str(back(3)), "from": "EUR", "to": "USD", "rate": "1.10", "source": "made up"}
        sell(house, [rate], kind="rates")
        sell(house, [line(1, 3), line(2, 3, currency="EUR"), line(3, 3, "500", currency="JPY"), line(4, 45)])

    def test_the_house_currency_holds_what_has_a_rate_and_says_what_is_left_out(self, opened: Open) -> None:
        screen = opened("overview", period="30D")
        assert cards(screen)["Net revenue"][0] == "$21.00"
        assert "¥500 of net revenue has no rate to USD yet and is left out here" in said(screen)
        assert "all in USD" in said(screen)

    @pytest.mark.parametrize("name", FILES)
    @pytest.mark.parametrize(("currency", "total"), [("EUR", "€10.00"), ("JPY", "¥500")])
    def test_one_currency_alone_is_not_converted(self, opened: Open, name: str, currency: str, total: str) -> None:
        screen = opened(name, period="30D", currency=currency)
        assert cards(screen)["Net revenue"][0] == total
        assert cards(screen)["Orders"][0] == "1"
        assert f"{currency} sales alone" in said(screen)
        assert "no rate" not in said(screen)
        if name != "overview":
            assert lines(screen) == [{"EUR": "o2", "JPY": "o3"}[currency]]

    @pytest.mark.parametrize("currency", ["XXX", "usd", "", "GBP", "**x**"])
    def test_a_currency_that_nothing_was_sold_in_is_not_taken(self, opened: Open, currency: str) -> None:
        screen = opened("revenue", period="30D", currency=currency)
        assert screen.selectbox(key="currency").value == "USD"

    def test_the_lines_are_in_the_currency_of_the_number(self, opened: Open) -> None:
        screen = opened("revenue", period="30D")
        table = next(frame.value for frame in screen.dataframe if "order_id" in frame.value)
        assert sorted(zip(table["order_id"], table["amount_minor"], table["currency"], strict=True)) == [
            ("o1", "10.00", "USD"),
            ("o2", "11.00", "USD"),
        ]


class TestFilters:
    @pytest.fixture(autouse=True)
    def sales(self, house: House, acme: None, sell: Any) -> None:
        bought = [line(1, 3), line(2, 4, "5.00", country="FR"), line(3, 5, "7.00", partner="birch", product="Cake")]
        sell(house, [*bought, line(4, 6, "1.00", partner=None, country=""), line(5, 60)])

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            (["Country: DE"], {"o1", "o3"}),
            (["Country: DE", "Country: FR"], {"o1", "o2", "o3"}),
            (["Country: DE", "Partner: acme"], {"o1"}),
            (["Partner: –"], {"o4"}),
            (["Country: –"], {"o4"}),
            (["Partner type: affiliate"], {"o1", "o2", "o3"}),
            (["product:Cake"], {"o3"}),
            (["Source: shop", "Country: FR"], {"o2"}),
            (["Country: ZZ"], set()),
            (["Country: ' or '1'='1"], set()),
        ],
    )
    def test_a_filter_narrows_the_lines_and_the_number_alike(
        self, opened: Open, words: list[str], found: set[str]
    ) -> None:
        screen = opened("revenue", period="30D", only=words)
        assert set(lines(screen)) == found
        amounts = {"o1": 1000, "o2": 500, "o3": 700, "o4": 100}
        whole = sum(amounts[number] for number in found)
        assert cards(screen)["Net revenue"][0] == (f"${whole // 100}.00" if found else "–")

    @pytest.mark.parametrize(
        "word", ["junk", "colour: red", "**x**", ":", "=1+1", "<b>x</b>", "![](https://evil.example)", "\x00"]
    )
    def test_a_word_that_is_no_filter_gets_a_sentence_and_the_rest_stands(self, opened: Open, word: str) -> None:
        screen = opened("revenue", period="30D", only=[word, "Country: FR"])
        assert "is no filter; choose one from the list, or click on a bar." in screen.warning[0].value
        assert lines(screen) == ["o2"]
        for raw in ("**x**", "<b>", "![]("):
            assert raw not in screen.warning[0].value

    @pytest.mark.parametrize("period", ["", "junk", "99Y", "30d", "-1D"])
    def test_a_period_that_does_not_exist_is_the_usual_one(self, opened: Open, period: str) -> None:
        screen = opened("revenue", period=period)
        assert len(lines(screen)) == 5
        assert screen.segmented_control(key="period").value in ("90D", None)

    @pytest.mark.parametrize("words", [{"split": ""}, {"by_product_what": ""}, {"only": ""}, {"split": "Nope"}])
    def test_an_address_that_names_nothing_is_read_as_the_usual(self, opened: Open, words: dict[str, str]) -> None:
        assert len(lines(opened("revenue", period="30D", **words))) == 4

    def test_days_in_the_wrong_order_are_swapped_and_told(self, opened: Open) -> None:
        screen = opened("revenue", period="Custom", since=str(back(3)), until=str(back(5)))
        assert "swapped" in screen.warning[0].value
        assert set(lines(screen)) == {"o1", "o2", "o3"}

    @pytest.mark.parametrize(
        ("since", "until"), [("1000-01-01", "9999-12-31"), ("0001-01-01", ""), ("junk", "2026-02-31"), ("", "'; --")]
    )
    def test_days_outside_the_data_are_not_taken(self, opened: Open, since: str, until: str) -> None:
        screen = opened("revenue", period="Custom", since=since, until=until)
        assert all(back(60) <= field.value <= back(0) for field in screen.date_input)
        assert set(lines(screen)) == {"o1", "o2", "o3", "o4"}

    def test_all_time_holds_every_line(self, opened: Open) -> None:
        assert set(lines(opened("revenue", period="All"))) == {"o1", "o2", "o3", "o4", "o5"}

    def test_a_filter_that_a_card_cannot_take_leaves_the_other_cards(self, opened: Open) -> None:
        screen = opened("overview", period="30D", only=["Product: Cake"])
        assert cards(screen)["Net revenue"][0] == "$7.00"
        assert cards(screen)["Acquisition spend"][0] == "–"

    def test_a_click_on_a_bar_adds_its_filter_and_a_second_one_takes_it_away(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state: dict[str, Any] = {}
        monkeypatch.setattr(filters.st, "session_state", state)
        filters.toggle("partner", "acme")
        filters.toggle("country", "")
        assert state["only"] == ["Partner: acme", "Country: –"]
        filters.toggle("partner", "acme")
        assert state["only"] == ["Country: –"]
        state["only"] = ["country:FR"]  # as somebody typed it
        filters.toggle("country", "FR")
        assert state["only"] == []

    def test_a_clicked_bucket_narrows_the_lines_to_its_days(self, opened: Open) -> None:
        screen = opened("revenue", period="30D")
        key = next(chart.key for chart in screen.get("plotly_chart") if str(chart.key).startswith("trend_chart"))
        screen.session_state[key] = {"selection": {"points": [{"point_index": 29 - 4}], "point_indices": [25]}}
        fine(screen.run())
        assert lines(screen) == ["o2"]
        assert "click the bar again to see all" in said(screen)

    @pytest.mark.parametrize("place", [-1, 30, 10**9])
    def test_a_click_on_a_bar_that_is_not_there_narrows_nothing(self, opened: Open, place: int) -> None:
        screen = opened("revenue", period="30D")
        key = next(chart.key for chart in screen.get("plotly_chart") if str(chart.key).startswith("trend_chart"))
        screen.session_state[key] = {"selection": {"points": [{"point_index": place}], "point_indices": []}}
        assert len(lines(fine(screen.run()))) == 4


def test_partners_of_one_name_are_two_filters(opened: Open, sell: Any, house: House) -> None:
    with transaction() as db:
        registry.enrol(db, SYSTEM, {"code": "acme-2", "name": "Acme", "type": "affiliate", "status": "active"})
    sell(house, [line(1, 3), line(2, 3, "5.00", partner="acme-2")])
    assert lines(opened("revenue", only=["Partner: acme-2"])) == ["o2"]
    assert lines(opened("revenue", only=["Partner: acme"])) == ["o1"]


class TestAPartner:
    @pytest.fixture(autouse=True)
    def sales(self, house: House, acme: None, sell: Any) -> None:
        sell(house, [line(1, 3), line(2, 4, "5.00", partner="birch", customer="c1"), line(3, 5, partner=None)])

    def test_sees_own_lines_and_nobody_else_s(self, opened: Open) -> None:
        assert lines(opened("earnings")) == ["o1"]
        assert lines(opened("earnings", partners=("birch",))) == ["o2"]
        assert set(lines(opened("earnings", partners=("acme", "birch")))) == {"o1", "o2"}

    @pytest.mark.parametrize("only", [["Partner: birch"], ["Partner: –"], ["Partner: acme", "Partner: birch"]])
    def test_finds_nothing_of_others_by_a_filter(self, opened: Open, only: list[str]) -> None:
        screen = opened("earnings", only=only)
        assert set(lines(screen)) <= {"o1"}
        assert cards(screen)["Net revenue"][0] in ("–", "$10.00")

    def test_is_offered_own_values_only(self, opened: Open) -> None:
        offered = opened("earnings").multiselect(key="only").options
        assert not [word for word in offered if "irch" in word or word.startswith("Partner")]

    def test_sees_own_rows_only_although_another_role_sees_all(self, house: House, signed_in: Any) -> None:
        screen = AppTest.from_file(PAGES / FILES["earnings"], default_timeout=60)
        signed_in(screen, "partner", "admin", partners=("acme",))
        assert lines(fine(screen.run())) == ["o1"]

    def test_without_a_partner_to_their_name_has_an_empty_page(self, opened: Open) -> None:
        screen = opened("earnings", partners=())
        assert lines(screen) == []
        assert "No sales in this period and filter." in said(screen)

    @pytest.mark.parametrize(
        ("name", "role", "reads"),
        [
            ("revenue", "admin", True),
            ("revenue", "analyst", False),
            ("revenue", "executive", False),
            ("earnings", "partner", False),
        ],
    )
    def test_customers_are_named_to_admins_and_masked_for_others(
        self, opened: Open, sell: Any, house: House, name: str, role: str, reads: bool
    ) -> None:
        sell(house, [line(9, 1, customer="c9", customer_name="Carla Client", customer_email="carla@example.org")])
        screen = opened(name, role=role)
        told = said(screen) + "".join(str(frame.value.to_dict()) for frame in screen.dataframe)
        assert ("Carla Client" in told) == reads
        assert "carla@" not in told


def words_of(figure: dict[str, Any]) -> list[str]:
    """What a chart writes: the names on its axes, in its legend and under the pointer."""
    axes = [figure["layout"][name].get("ticktext", ()) for name in ("xaxis", "yaxis")]
    texts = [trace.get("text", ()) for trace in figure["data"]]
    return [*(word for words in [*axes, *texts] for word in words), *(t.get("name", "") for t in figure["data"])]


class TestForeignWords:
    """Names come from files and from people: nothing in them is markup, on a page or in a spreadsheet."""

    @pytest.fixture(autouse=True)
    def sales(self, house: House, sell: Any) -> None:
        with transaction() as db:
            registry.enrol(db, SYSTEM, {"code": "evil", "name": HOSTILE[:100], "type": "affiliate", "status": "active"})
        more = {"product": HOSTILE, "country": "=cmd|'/c calc'!A1", "channel": "<b>x</b>", "category": "@SUM(A1)"}
        sell(house, [line(1, 3, partner="evil", customer_name=HOSTILE, **more), line(2, 33, partner="evil", **more)])

    @pytest.mark.parametrize("name", FILES)
    def test_no_markdown_of_the_page_holds_them_unescaped(self, opened: Open, name: str) -> None:
        screen = opened(name, partners=("evil",), only=[f"Product: {HOSTILE}"])
        told = said(screen) + " ".join(card.label + str(card.proto.help) for card in screen.metric)
        for raw in ("**bold**", "![x]", "<img", "$x^2$", ":smile:", "<b>x"):
            assert raw not in told

    def test_no_chart_reads_tags_in_them(self, opened: Open) -> None:
        screen = opened("overview")
        drawn = [words for chart in screen.get("plotly_chart") for words in words_of(json.loads(chart.proto.spec))]
        assert any("&lt;b&gt;x" in words for words in drawn)
        assert not [words for words in drawn if "<" in words]

    def test_a_file_of_them_holds_no_formula(self) -> None:
        text = tables.csv_of(drilled.all_lines(SYSTEM, insights.Question("sale_lines", only_currency="USD")))
        assert "'=cmd|" in text
        assert "'@SUM" in text
        assert not [cell for row in text.splitlines() for cell in row.split(",") if cell.startswith(("=", "@", "+"))]


class TestGoals:
    @pytest.fixture(autouse=True)
    def sales(self, house: House, acme: None, sell: Any) -> None:
        sell(house, [line(1, 0, "50.00"), line(2, 0, "10.00", currency="EUR")])

    def goal(self, metric: str, target: int, currency: str | None = None) -> None:
        with transaction() as db:
            goals.set_goal(db, SYSTEM, metric, insights.today(), target, currency=currency)

    def test_a_card_says_how_far_the_month_has_come(self, opened: Open) -> None:
        self.goal("net_revenue", 10000, "USD")
        described = {card.label: card.proto.delta_description for card in opened("overview").metric}
        assert described[":gray[Net revenue]"].startswith("50% of ")

    def test_a_goal_of_nothing_is_no_fault(self, opened: Open) -> None:
        self.goal("net_revenue", 0, "USD")
        self.goal("orders", 0)
        opened("overview")

    def test_a_goal_in_another_currency_counts_there(self, opened: Open) -> None:
        self.goal("net_revenue", 2000, "EUR")
        described = {card.label: card.proto.delta_description for card in opened("overview", currency="EUR").metric}
        assert described[":gray[Net revenue]"].startswith("50% of ")
        described = {card.label: card.proto.delta_description for card in opened("overview").metric}
        assert "goal" not in described[":gray[Net revenue]"]

    def test_goals_are_of_the_whole_and_not_shown_beside_a_part(self, opened: Open) -> None:
        self.goal("net_revenue", 10000, "USD")
        for card in opened("overview", only=["Country: DE"]).metric:
            assert "goal" not in card.proto.delta_description


@pytest.mark.parametrize(
    ("zone", "days"), [("Pacific/Kiritimati", 1), ("Pacific/Pago_Pago", -1), ("UTC", 0)], ids=["ahead", "behind", "utc"]
)
def test_the_last_day_of_a_period_is_today_where_the_business_is(
    opened: Open, sell: Any, house: House, monkeypatch: pytest.MonkeyPatch, zone: str, days: int
) -> None:
    """A minute before midnight in London it is tomorrow on Kiritimati; a sale of that day is in the period."""
    from datetime import UTC, datetime

    late = datetime(2026, 3, 31, 23, 59, tzinfo=UTC) if days >= 0 else datetime(2026, 4, 1, 0, 1, tzinfo=UTC)
    monkeypatch.setattr(insights, "now", lambda: late)
    object.__setattr__(house.settings, "timezone", zone)
    sell(house, [{**line(1, 0), "at": "2026-03-31T12:00:00Z"}])
    screen = opened("revenue", period="30D")
    assert f"{'Apr 1' if days > 0 else 'Mar 31'}, 2026" in said(screen)
    assert lines(screen) == ["o1"]


def test_numbers_move_while_the_feed_appends(opened: Open, sell: Any, house: House) -> None:
    """Each rerun is of one state: its number, its trend and its lines agree, before and after."""
    sell(house, [line(1, 3)])
    screen = opened("revenue", period="30D")
    for number in range(2, 5):
        sell(house, [line(number, 3)])
        fine(screen.run())
        assert cards(screen)["Net revenue"][0] == f"${number}0.00"
        assert len(lines(screen)) == number
