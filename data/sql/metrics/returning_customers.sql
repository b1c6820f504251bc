-- one row per group
-- title: Returning customers
-- unit: count
-- from: customers
-- roles: executive admin analyst partner
-- definition: Active customers of the period who are not new in it.
select
    group_1, group_2, group_3,
    cast(coalesce(sum(customers) filter (where previous_day < bucket_since), 0) as bigint)
        + count(distinct customer_id) filter (where customer_id is not null)
        - count(distinct customer_id) filter (where first_day = business_day) as returning_customers
from customers
group by group_1, group_2, group_3
