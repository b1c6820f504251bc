-- one row per group
-- title: New customers
-- unit: count
-- from: customers
-- roles: executive admin analyst partner
-- definition: Known customers whose first sale line ever lies in the period.
select
    group_1, group_2, group_3,
    cast(coalesce(sum(customers) filter (where previous_day is null), 0) as bigint)
        + count(distinct customer_id) filter (where first_day = business_day) as new_customers
from customers
group by group_1, group_2, group_3
