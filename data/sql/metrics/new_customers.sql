-- one row per group
-- title: New customers
-- unit: count
-- from: sales
-- roles: executive admin analyst partner
-- definition: Known customers whose first sale line ever lies in the period.
select group_1, group_2, group_3, count(distinct sales.customer_id) as new_customers
from sales
inner join customer_first on customer_first.customer_id = sales.customer_id and customer_first.first_day = sales.business_day
where kind = 'sale'
group by group_1, group_2, group_3
