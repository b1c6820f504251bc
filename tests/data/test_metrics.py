"""A metric file can say what it likes about its own relations, and nothing about anything else."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from data import metrics
from data.metrics import BadMetric, NoAnswer, Request

ATTACKS = {
    "another schema": "select * from staging.sale",
    "the marts themselves": "select * from marts.revenue_day",
    "the catalogue": "select * from information_schema.tables",
    "the catalogue without its schema": "select * from duckdb_tables",
    "the other catalogue": "select * from sqlite_master",
    "a catalogue function": "select * from duckdb_tables()",
    "postgres' catalogue": "select * from pg_catalog.pg_class",
    "a database and schema": "select * from memory.main.sale",
    "quoted names": 'select * from "staging"."sale"',
    "a quoted table": 'select * from "feed_state"',
    "a file": "select * from 'sales.csv'",
    "files": "select * from ['a.csv', 'b.csv']",
    "a file by function": "select * from read_csv('sales.csv')",
    "a file's text": "select read_text('/etc/passwd')",
    "a listing of files": "select * from glob('*')",
    "the environment": "select getenv('HOME') from sale",
    "a variable": "select getvariable('x') from sale",
    "a setting": "select current_setting('memory_limit') from sale",
    "its own text": "select current_query() from sale",
    "a query in a text": "select * from query('select * from staging.sale')",
    "a table in a text": "select * from query_table('staging.sale')",
    "a function of a schema": "select main.sum(1) from sale",
    "a sequence": "select nextval('s') from sale",
    "another database": "attach 'other.duckdb'",
    "a setting changed": "pragma database_list",
    "a write": "update sale set amount_minor = 0",
    "a copy": "copy sale to 'sales.csv'",
    "two statements": "select 1; select 2",
    "nothing": "",
    "no SQL": "revenue please",
    "a description": "select * from (describe sale)",
    "a list of tables": "select * from (show all tables)",
    "a sample": "select * from sale using sample 1",
    "a recursion": "with recursive r as (select 1 as x union all select x from r) select * from r",
    "a generator": "select * from range(5)",
    "a list": "select unnest([1]) from sale",
    "a lambda": "select list_transform([1], x -> x) from sale",
    "a subselect": "select * from sale where id in (select id from staging.sale)",
    "a table in a condition": "select * from sale where (select count(*) from feed_state) > 0",
    "a table in a window": "select sum(id) over (order by (select count(*) from feed_state)) from sale",
    "a table in the order": "select * from sale order by (select 1 from feed_state)",
    "a table in the limit": "select * from sale limit (select 1 from feed_state)",
    "a table beside": "select * from sale, lateral (select * from feed_state) as f",
    "a step named as what it reads": "with feed_state as (select * from feed_state) select * from feed_state",
    "a step that reads one below it": "with a as (select * from b), b as (select 1 as x) select * from a",
    "a step within a step": "with x as (with feed_state as (select * from feed_state) select 1) select * from x",
    "a name lent by a step": "select (with feed_state as (select 1 as x) select x from feed_state) from feed_state",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_metric_that_reaches_outside_is_refused(attack: str) -> None:
    with pytest.raises(BadMetric, match=r"attack.sql"):
        metrics.check_names("attack.sql", ATTACKS[attack])


def test_an_ordinary_metric_is_read() -> None:
    metrics.check_names(
        "fine.sql",
        "with a as (select group_1, sum(net_minor) filter (where lines > 0) as x from revenue group by group_1),"
        " b as (select group_1, lag(x) over (order by group_1) as y from a)"
        " select b.group_1, coalesce(y, :start) from b left join partner on partner.id = b.y order by 2 limit 3",
    )


def test_a_file_says_who_may_ask_and_what_it_means(tmp_path: Path) -> None:
    (tmp_path / "bare.sql").write_text("-- one row\n-- title: Bare\nselect 1 as bare from revenue\n")
    with pytest.raises(BadMetric, match=r"bare.sql lacks definition, from, roles, unit"):
        metrics.catalogue(tmp_path)


def test_a_file_names_a_family_that_exists(tmp_path: Path) -> None:
    head = "-- one row\n-- title: T\n-- unit: count\n-- from: nowhere\n-- roles: admin\n-- definition: D.\n"
    (tmp_path / "lost.sql").write_text(f"{head}select 1 as lost from nowhere\n")
    with pytest.raises(BadMetric, match=r"from nowhere"):
        metrics.catalogue(tmp_path)


@pytest.mark.parametrize(
    ("request_", "relation"),
    [
        (Request("net_revenue", by=("month",)), "revenue_whole_day"),
        (Request("net_revenue", by=("month", "partner")), "revenue_day"),
        (Request("partner_driven_share", by=("month",)), "revenue_day"),
        (Request("net_revenue", by=("region",)), "revenue_place_day"),
        (Request("net_revenue", by=("product",)), "revenue_product_day"),
        (Request("net_revenue", by=("region", "product")), "revenue_line"),
        (Request("net_revenue", by=("region",), where={"partner": ("acme",)}), "revenue_line"),
        (Request("partner_driven_share", by=("region",)), "revenue_line"),
        (Request("orders", by=("month",)), "order_whole_day"),
        (Request("orders", by=("month", "partner")), "order_day"),
        (Request("orders", by=("product",)), "order_line"),
        (Request("active_customers", by=("month",)), "customer_day"),
        (Request("active_customers", where={"month": ("2026-01-01",)}), "customer_line"),
        (Request("new_customers", by=("partner",)), "customer_line"),
    ],
)
def test_the_narrowest_relation_answers(request_: Request, relation: str) -> None:
    metric = metrics.catalogue()[request_.metric]
    assert metrics.narrowest(metric, request_).relation == relation


def test_values_travel_as_parameters_and_never_in_the_text() -> None:
    evil = "x') or 1=1; drop table sale --"
    request = Request("net_revenue", date(2026, 1, 1), date(2026, 2, 1), where={"partner": (evil,)}, only_currency=evil)
    sql, values = metrics.compose(metrics.catalogue()["net_revenue"], request, "USD")
    assert "drop" not in sql
    assert list(values.values()).count(evil) == 2


def test_a_dimension_that_a_metric_lacks_is_named_with_those_it_has() -> None:
    with pytest.raises(NoAnswer, match=r"Net revenue cannot be asked by “model”; it can by .*partner"):
        metrics.compose(metrics.catalogue()["net_revenue"], Request("net_revenue", by=("model",)), "USD")


def test_an_answer_in_one_currency_does_not_go_by_currency() -> None:
    request = Request("net_revenue", by=("currency",), currency="USD")
    with pytest.raises(NoAnswer, match="one or the other"):
        metrics.compose(metrics.catalogue()["net_revenue"], request, "USD")


def test_parameters_are_spelled_as_each_engine_spells_them() -> None:
    assert metrics.spoken_by("select :a, '10%'::text", "duckdb") == "select $a, '10%'::text"
    assert metrics.spoken_by("select :a, '10%'::text", "psycopg") == "select %(a)s, '10%%'::text"
