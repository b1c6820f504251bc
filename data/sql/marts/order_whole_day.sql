-- one row per business day, currency, whether its rate is known and split order: order_day without its partners
select
    business_day,
    currency,
    has_rate,
    split_order,
    cast(sum(whole_orders) as bigint) as whole_orders,
    cast(sum(split_lines) as bigint) as split_lines,
    cast(sum(gross_minor) as bigint) as gross_minor,
    cast(sum(house_gross_minor) as bigint) as house_gross_minor
from order_day
group by business_day, currency, has_rate, split_order
