-- one row per group
-- title: Orders
-- unit: count
-- from: sales
-- roles: executive admin analyst partner
-- definition: Distinct orders with a sale line in the period.
with bought as (
    select distinct group_1, group_2, group_3, source, order_id
    from sales
    where kind = 'sale'
)
select group_1, group_2, group_3, count(*) as orders
from bought
group by group_1, group_2, group_3
