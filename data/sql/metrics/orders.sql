-- one row per group
-- title: Orders
-- unit: count
-- from: orders
-- roles: executive admin analyst partner
-- definition: Distinct orders with a sale line in the period.
select group_1, group_2, group_3, cast(sum(whole_orders) as bigint) + count(distinct split_order) as orders
from orders
group by group_1, group_2, group_3
