"""Sales made by Postgres itself, as many as asked: 500 partners, two years, 25 lines a customer, 2 % refunds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg

PARTNERS = 500
DAYS = 730
LINES_PER_CUSTOMER = 25
PORTION = 500_000

PARTNER_ROWS = """
insert into partner (code, name, type, status, region)
select 'p' || n, 'Partner ' || n, (array['affiliate', 'api_integration', 'shopify', 'franchise'])[1 + n %% 4], 'active',
       (array['na', 'eu', 'apac'])[1 + n %% 3]
from generate_series(1, %(partners)s) as n
"""

CUSTOMER_ROWS = """
insert into customer (source, source_id, country)
select 'bench', 'c' || n, (array['US', 'DE', 'JP', 'GB', 'FR', 'CA', 'ES', 'IT', 'NL', 'SE', 'AU', 'BR'])[1 + n %% 12]
from generate_series(%(first)s::bigint, %(last)s::bigint) as n
"""

# `hash` spreads a line's number and `buyer` an order's: its two lines share customer, partner and place. Each column
# takes other bits of them, so that the columns are independent.
SALE_ROWS = """
insert into sale (
    source, source_id, order_id, line_no, kind, amount_minor, currency, house_minor, customer_id, partner_id,
    attribution, product, category, region, country, channel, quantity, at, business_day)
select
    'bench', 's' || n, 'o' || n / 2, 1 + n %% 2,
    case when is_refund then 'refund' else 'sale' end,
    case when is_refund then -amount else amount end,
    (array['USD', 'EUR', 'GBP', 'JPY'])[1 + partner %% 4],
    case when is_refund then -amount else amount end,
    first_customer + (buyer >> 8) %% %(customers)s::bigint,
    case when partner %% 10 = 0 then null else first_partner + partner end,
    case when partner %% 10 = 0 then 'none' else (array['explicit', 'referral_code', 'click'])[1 + partner %% 3] end,
    'product ' || (hash >> 3) %% 200, 'category ' || (hash >> 3) %% 200 %% 10,
    (array['na', 'eu', 'apac'])[1 + place %% 3],
    (array['US', 'DE', 'JP', 'CA', 'FR', 'AU', 'BR', 'GB', 'SG', 'MX', 'ES', 'KR'])[1 + place],
    (array['web', 'app', 'store', 'phone', 'api', 'social'])[1 + (hash >> 20) %% 6],
    1, at, (at at time zone 'UTC')::date
from (
    select n, hash, buyer, (buyer >> 12) %% %(partners)s::bigint as partner, (buyer >> 5) %% 12 as place,
           n %% 50 = 49 as is_refund, 500 + hash %% 20000 as amount,
           timestamptz '2024-11-20 00:00+00'
               + interval '1 second' * (n::double precision * %(seconds)s / %(rows)s) as at
    from (
        select n, hashint8(n)::bigint & 2147483647 as hash, hashint8(n / 2)::bigint & 2147483647 as buyer
        from generate_series(%(first)s::bigint, %(last)s::bigint) as n
    ) as numbered
) as drawn
cross join (select min(id) as first_customer from customer) as c
cross join (select min(id) as first_partner from partner) as p
"""


def fill(url: str, rows: int, *, tell: Callable[[str], None] = lambda _: None) -> None:
    """Partners, customers and `rows` sale lines. Indexes are made afterwards, as a restore does."""
    customers = max(1, rows // LINES_PER_CUSTOMER)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(
            "alter database {} set synchronous_commit = off".format(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
        )
        db.execute(PARTNER_ROWS, {"partners": PARTNERS})
        indexes = db.execute(
            "select indexname, indexdef from pg_indexes where tablename = 'sale' and indexname <> 'sale_pkey'"
        ).fetchall()
        db.execute("alter table sale drop constraint sale_source_source_id_key")
        for name, _ in indexes:
            db.execute(f'drop index if exists "{name}"')
    portions(url, CUSTOMER_ROWS, customers, {}, lambda done: None)
    tell(f"{customers:,} customers; now {rows:,} sales")
    words = {"rows": rows, "customers": customers, "partners": PARTNERS, "seconds": DAYS * 86_400}
    portions(url, SALE_ROWS, rows, words, lambda done: tell(f"{done:,} sales") if done % 5_000_000 == 0 else None)
    tell("indexes")
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("set maintenance_work_mem = '1GB'")
        for _, definition in indexes:
            db.execute(definition)
        db.execute(
            "alter table sale add constraint sale_source_source_id_key unique using index sale_source_source_id_key"
        )
        db.execute("vacuum analyze sale")
        db.execute("vacuum analyze customer")


def portions(url: str, statement: str, rows: int, words: dict[str, int], tell: Callable[[int], None]) -> None:
    """Numbers 0 to rows-1, in portions, in order of number within each of two sessions."""

    def write(first: int) -> int:
        last = min(first + PORTION, rows) - 1
        with psycopg.connect(url) as db:
            db.execute("set session_replication_role = replica")  # the keys are right by construction
            db.execute(statement, {**words, "first": first, "last": last})
        return last + 1

    with ThreadPoolExecutor(2) as sessions:
        for done in sessions.map(write, range(0, rows, PORTION)):
            tell(done)
