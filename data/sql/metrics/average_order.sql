-- one row per group and currency
-- title: Average order
-- unit: money
-- from: sales
-- roles: executive admin analyst partner
-- definition: Gross revenue over orders, rounded half up to the minor unit.
with orders as (
    select group_1, group_2, group_3, currency, source, order_id, sum(amount_minor) as gross_minor
    from sales
    where kind = 'sale'
    group by group_1, group_2, group_3, currency, source, order_id
)
select
    group_1, group_2, group_3, currency,
    cast(floor(cast(sum(gross_minor) as double precision) / count(*) + 0.5) as bigint) as average_order
from orders
group by group_1, group_2, group_3, currency
