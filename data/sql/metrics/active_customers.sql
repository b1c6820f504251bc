-- one row per group
-- title: Active customers
-- unit: count
-- from: customers
-- roles: executive admin analyst partner
-- definition: Distinct known customers with a sale line in the period.
select
    group_1, group_2, group_3,
    cast(coalesce(sum(customers) filter (where previous_day is null or previous_day < bucket_since), 0) as bigint)
        + count(distinct customer_id) filter (where customer_id is not null) as active_customers
from customers
group by group_1, group_2, group_3
