"""The proof finds what is wrong, wherever it is wrong, and says where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from data.warehouse import Warehouse

Breaks = Callable[[Warehouse], list[str]]


@pytest.fixture
def filled(shop: Any, warehouse: Warehouse) -> Warehouse:
    for _ in range(20):
        shop.sell(kind="sale")
    shop.db.commit()
    warehouse.refresh()
    return warehouse


def test_a_true_copy_has_no_breaks(filled: Warehouse, breaks: Breaks) -> None:
    assert breaks(filled) == []


FIRST = "where id = (select min(id) from staging.sale)"
DAMAGE = {
    "an amount": (f"update staging.sale set amount_minor = amount_minor + 1 {FIRST}", "copied"),
    "a day": (f"update staging.sale set business_day = business_day + 1 {FIRST}", "copied"),
    "a partner": ("update staging.sale set partner_id = 99 where partner_id is null", "copied sale lines"),
    "a row lost": (f"delete from staging.sale {FIRST}", "rows of sale"),
    "a row twice": ("insert into staging.sale select * from staging.sale limit 1", "rows of sale"),
    "a row of the registry lost": ("delete from staging.partner", "rows of partner"),
    "a cell's money": ("update marts.revenue_day set net_minor = net_minor - 1", "revenue by day"),
    "cells lost": ("delete from marts.revenue_place_day", "revenue_place_day"),
    "cells renamed": ("update marts.revenue_product_day set product = 'soup'", "revenue_product_day"),
    "orders": ("update marts.order_day set whole_orders = whole_orders + 1 where split_order is null", "order_day"),
    "customers": ("insert into marts.customer_day values ('2026-03-01', null, 1)", "customer_day"),
    "first days": ("update marts.customer_span set first_day = '2020-01-01'", "customer_span"),
}


@pytest.mark.parametrize(("damage", "found"), DAMAGE.values(), ids=DAMAGE)
def test_each_kind_of_damage_is_found(filled: Warehouse, breaks: Breaks, damage: str, found: str) -> None:
    filled.feed.store.execute(damage)
    assert any(found in line for line in breaks(filled))


def test_two_wrongs_that_cancel_out_are_found_by_their_cells(filled: Warehouse, breaks: Breaks) -> None:
    filled.feed.store.execute(
        "update staging.sale set amount_minor = amount_minor + case when id = (select min(id) from staging.sale) then 5"
        " when id = (select max(id) from staging.sale) then -5 else 0 end"
    )
    assert sum("copied sale lines" in line for line in breaks(filled)) == 2
