"""Asking: who may ask what, over whose rows, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from core import insights
from core.errors import NotAllowed, NotFound
from core.insights import CannotAnswer, Question, ask
from core.partners import registry
from core.periods import Period
from core.runtime import House, transaction
from core.viewer import ROLES, SYSTEM, Role, Viewer
from data import tables

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


def line(number: int, partner: str | None, amount: str, day: str = "2026-03-05", **more: Any) -> dict[str, Any]:
    sold = {"order_id": f"o{number}", "at": f"{day}T12:00:00Z", "amount": amount, "currency": "USD", "partner": partner}
    return {**sold, "customer": f"c{number % 2}", "product": "Tea", "region": "eu", "country": "DE", **more}


@pytest.fixture(scope="module")
def shop(
    open_house: Callable[..., Any], sell: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Two partners, some lines of each and of nobody, and one in a currency that has no rate."""
    with open_house(tmp_path_factory.mktemp("insights")) as house:
        with transaction() as db:
            for code in ("acme", "birch"):
                registry.enrol(db, SYSTEM, {"code": code, "name": code.title(), "type": "affiliate"})
        sell(
            house,
            [
                line(1, "acme", "10.00"),
                line(2, "acme", "5.00", "2026-03-06", product="Cake"),
                line(3, "birch", "7.00", region="na"),
                line(4, None, "1.00", "2026-02-01"),
                line(5, "birch", "9.00", currency="EUR"),
                line(6, "acme", "-2.00", kind="refund"),
            ],
        )
        yield house


def seen_by(*roles: Role, partners: tuple[str, ...] = ()) -> Viewer:
    with transaction() as db:
        rows = db.execute(select(tables.partner.c.id).where(tables.partner.c.code.in_(partners))).scalars()
        return Viewer(uuid4(), "Ana", "ana@example.com", frozenset(roles), frozenset(rows))


@pytest.mark.usefixtures("shop")
class TestAsking:
    def test_an_executive_is_answered_over_everybody_s_rows(self) -> None:
        answer = ask(seen_by("executive"), Question("net_revenue", MARCH))
        assert (answer.total("USD"), answer.total("EUR"), answer.total("JPY")) == (2000, 900, None)
        assert answer.metric.title == "Net revenue"

    def test_a_partner_is_answered_over_own_rows_only(self) -> None:
        assert ask(seen_by("partner", partners=("acme",)), Question("net_revenue")).total("USD") == 1300
        assert ask(seen_by("partner", partners=("birch",)), Question("net_revenue")).total("USD") == 700
        both = seen_by("partner", partners=("acme", "birch"))
        assert ask(both, Question("net_revenue")).total("USD") == 2000

    def test_a_partner_who_asks_for_another_by_name_gets_nothing(self) -> None:
        asked = Question("sale_lines", where={"partner": ["birch"]})
        assert ask(seen_by("partner", partners=("acme",)), asked).rows.height == 0

    def test_somebody_with_the_role_but_no_partner_sees_no_row(self) -> None:
        nobody = seen_by("partner")
        assert ask(nobody, Question("sale_lines")).rows.height == 0
        assert insights.fact_days(nobody) is None
        assert insights.partner_names(nobody) == {}
        assert insights.currencies(nobody).others == ()

    @pytest.mark.parametrize("role", ROLES)
    def test_a_metric_opens_for_the_roles_in_its_header_and_no_other(self, role: Role) -> None:
        viewer = seen_by(role, partners=("acme",))
        open_to_them = {metric.name for metric in insights.metrics(viewer)}
        assert open_to_them == {metric.name for metric in insights.metrics(SYSTEM) if role in metric.roles}
        for name in ("acquisition_spend", "partner_driven_share"):
            if role == "partner":
                with pytest.raises(NotAllowed, match="not open to your roles"):
                    ask(viewer, Question(name))
            else:
                ask(viewer, Question(name))

    def test_nobody_is_answered_without_a_role(self) -> None:
        with pytest.raises(NotAllowed):
            ask(seen_by(), Question("net_revenue"))

    @pytest.mark.parametrize("name", ["gross_revenue_2", "", "../metrics/orders", "sale; drop table sale", "x" * 500])
    def test_a_metric_that_does_not_exist_is_refused(self, name: str) -> None:
        with pytest.raises(NotFound, match="millrace metrics") as refused:
            ask(SYSTEM, Question(name))
        assert len(str(refused.value)) < 160

    @pytest.mark.parametrize("name", ["colour", "partner; drop table sale", "id", "", "business_day", "amount_minor"])
    def test_a_dimension_that_the_metric_lacks_is_refused_with_those_it_has(self, name: str) -> None:
        with pytest.raises(CannotAnswer, match="region"):
            ask(SYSTEM, Question("net_revenue", by=(name,)))
        with pytest.raises(CannotAnswer, match="region"):
            ask(SYSTEM, Question("net_revenue", where={name: ["x"]}))

    def test_more_than_three_dimensions_are_refused(self) -> None:
        with pytest.raises(CannotAnswer, match="three"):
            ask(SYSTEM, Question("net_revenue", by=("day", "partner", "product", "region")))

    def test_a_parameter_that_the_metric_lacks_is_refused(self) -> None:
        with pytest.raises(CannotAnswer, match="no parameter “window”"):
            ask(SYSTEM, Question("net_revenue", values={"window": "7d"}))

    @pytest.mark.parametrize("name", ["EUR", "XXX", "usd", "'; drop table sale"])
    def test_a_currency_that_rates_are_not_locked_to_is_refused(self, name: str) -> None:
        with pytest.raises(CannotAnswer, match="Rates are locked to USD"):
            ask(SYSTEM, Question("net_revenue", currency=name))

    def test_a_metric_that_compares_wants_a_period(self) -> None:
        with pytest.raises(CannotAnswer, match="say since when"):
            ask(SYSTEM, Question("top_movers", by=("partner",)))

    @pytest.mark.parametrize("value", ["'", "acme' or '1'='1", "%", "\x00", "☃", "x" * 10_000, "$where_1", ":since"])
    def test_a_filter_is_a_value_and_never_a_statement(self, value: str) -> None:
        assert ask(SYSTEM, Question("sale_lines", where={"partner": [value]})).rows.height == 0

    def test_an_empty_filter_value_asks_for_rows_without_one(self) -> None:
        assert ask(SYSTEM, Question("net_revenue", where={"partner": [""]})).total("USD") == 100
        assert ask(SYSTEM, Question("net_revenue", where={"partner": ["", "birch"]})).total("USD") == 800

    def test_a_filter_that_wants_nothing_finds_nothing(self) -> None:
        assert ask(SYSTEM, Question("sale_lines", where={"partner": []})).rows.height == 0

    def test_the_lines_add_up_to_the_number(self) -> None:
        for where in (
            {},
            {"partner": ["acme"]},
            {"region": ["na"]},
            {"product": ["Cake", "Tea"], "partner": ["birch"]},
        ):
            rows = ask(SYSTEM, Question("sale_lines", MARCH, where=where, only_currency="USD")).rows
            assert rows["amount_minor"].sum() == ask(SYSTEM, Question("net_revenue", MARCH, where=where)).total("USD")

    def test_the_answer_s_rows_can_be_bounded_and_are_the_newest(self) -> None:
        rows = ask(SYSTEM, Question("sale_lines", limit=2)).rows
        assert rows["order_id"].to_list() == ["o2", "o6"]

    def test_no_rows_are_a_count_of_zero_and_no_amount(self) -> None:
        never = Period(date(1990, 1, 1), date(1990, 2, 1))
        assert ask(SYSTEM, Question("orders", never)).total() == 0
        assert ask(SYSTEM, Question("net_revenue", never)).total("USD") is None

    def test_the_first_and_the_last_day_are_those_of_the_viewer_s_rows(self) -> None:
        assert insights.fact_days(SYSTEM) == (date(2026, 2, 1), date(2026, 3, 6))
        assert insights.fact_days(seen_by("partner", partners=("birch",))) == (date(2026, 3, 5), date(2026, 3, 5))

    def test_a_filter_offers_the_values_that_the_viewer_s_rows_have_most_lines_first(self) -> None:
        assert insights.values_of(SYSTEM, "region") == ["eu", "na"]
        assert insights.values_of(seen_by("partner", partners=("acme",)), "region") == ["eu"]
        assert insights.partner_names(seen_by("partner", partners=("acme",))) == {"acme": "Acme"}

    def test_currencies_come_by_number_of_lines_and_say_whether_any_is_converted(self) -> None:
        found = insights.currencies(SYSTEM)
        assert (found.others, found.has_converted) == (("USD", "EUR"), True)

    def test_notes_of_the_house_are_none_of_a_partner_s_business(self) -> None:
        from core.growth import annotations

        with transaction() as db:
            annotations.add(db, SYSTEM, date(2026, 3, 5), "Spring launch", today=date(2026, 11, 21))
        insights.house().warehouse.refresh()
        days = (date(2026, 3, 1), date(2026, 3, 31))
        assert [note.label for note in insights.notes(seen_by("executive"), *days)] == ["Spring launch"]
        assert insights.notes(seen_by("partner", partners=("acme",)), *days) == []

    @pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
    def test_the_check_and_the_feed_s_state_are_for_admins(self, role: Role) -> None:
        for act in (insights.check, insights.state):
            with pytest.raises(NotAllowed, match="role admin"):
                act(seen_by(role, partners=("acme",)))

    def test_the_warehouse_holds_what_postgres_holds(self) -> None:
        assert [finding.what for finding in insights.check(SYSTEM) if not finding.holds] == []
        assert insights.state(SYSTEM).sale_lines == 6


def test_an_answer_is_remembered_for_its_scope_and_until_the_feed_moves(
    house: House, sell: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as db:
        for code in ("acme", "birch"):
            registry.enrol(db, SYSTEM, {"code": code, "name": code.title(), "type": "affiliate"})
    sell(house, [line(1, "acme", "10.00"), line(2, "birch", "7.00")])
    ran: list[str] = []
    run = house.warehouse.run
    monkeypatch.setattr(
        house.warehouse, "run", lambda sql, values, scope: ran.append(scope.key) or run(sql, values, scope)
    )
    acme, birch = (seen_by("partner", partners=(code,)) for code in ("acme", "birch"))
    question = Question("net_revenue")
    assert [ask(who, question).total("USD") for who in (acme, birch, SYSTEM, acme, birch, SYSTEM)] == [
        *(1000, 700, 1700),
        *(1000, 700, 1700),
    ]
    assert len(ran) == 3, "each scope is answered once"
    sell(house, [line(3, "acme", "1.00")])
    assert [ask(who, question).total("USD") for who in (acme, birch, SYSTEM)] == [1100, 700, 1800]
    assert len(ran) == 6, "nothing old is told after the feed moved"


def test_a_partner_of_today_appears_with_the_next_copy(house: House, sell: Callable[..., None]) -> None:
    with transaction() as db:
        registry.enrol(db, SYSTEM, {"code": "acme", "name": "Acme", "type": "affiliate"})
    sell(house, [line(1, "acme", "10.00")])
    assert insights.partner_names(SYSTEM) == {"acme": "Acme"}


def test_before_the_first_copy_there_is_no_freshness_and_no_number(house: House) -> None:
    assert (insights.freshness().is_loading, insights.freshness().lag_s) == (True, None)
    house.warehouse.refresh()
    assert not insights.freshness().is_loading
    assert insights.freshness().lag_s is not None
    assert ask(SYSTEM, Question("net_revenue")).total("USD") is None
    assert insights.fact_days(SYSTEM) is None
