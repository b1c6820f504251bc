-- one row per group
-- title: Returning customers
-- unit: count
-- from: sales
-- roles: executive admin analyst partner
-- definition: Active customers of the period who are not new in it.
with buyers as (
    select
        group_1, group_2, group_3, sales.customer_id,
        max(case when customer_first.first_day = sales.business_day then 1 else 0 end) as is_new
    from sales
    inner join customer_first on customer_first.customer_id = sales.customer_id
    where kind = 'sale'
    group by group_1, group_2, group_3, sales.customer_id
)
select group_1, group_2, group_3, count(*) - cast(sum(is_new) as bigint) as returning_customers
from buyers
group by group_1, group_2, group_3
