-- one row per group and currency
-- title: Average order
-- unit: money
-- from: orders
-- roles: executive admin analyst partner
-- definition: Gross revenue over orders, rounded half up to the minor unit.
with totals as (
    select
        group_1, group_2, group_3, currency,
        cast(sum(gross_minor) as double precision) as gross_minor,
        cast(sum(whole_orders) as bigint) + count(distinct split_order) as order_count
    from orders
    group by group_1, group_2, group_3, currency
)
select
    group_1, group_2, group_3, currency,
    cast(floor(gross_minor / order_count + 0.5) as bigint) as average_order
from totals
