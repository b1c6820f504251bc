-- one row per group
-- title: Active customers
-- unit: count
-- from: sales
-- roles: executive admin analyst partner
-- definition: Distinct known customers with a sale line in the period.
select group_1, group_2, group_3, count(distinct customer_id) as active_customers
from sales
where kind = 'sale'
group by group_1, group_2, group_3
