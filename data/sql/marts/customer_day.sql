-- one row per business day and the day before it on which the same customers bought: null for their first
with active as (
    select distinct customer_id, business_day
    from sale
    where kind = 'sale' and customer_id is not null
),

stepped as (
    select
        business_day,
        lag(business_day) over (partition by customer_id order by business_day) as previous_day
    from active
)

select business_day, previous_day, count(*) as customers
from stepped
group by business_day, previous_day
