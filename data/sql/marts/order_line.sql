-- one row per line that sold something, in the columns of order_day: every order stands as a split one
select
    business_day,
    partner_id,
    region,
    country,
    channel,
    source,
    attribution,
    product,
    category,
    plan,
    kind,
    currency,
    has_rate,
    0 as whole_orders,
    concat(length(source), ' ', source, ' ', order_id) as split_order,
    amount_minor as gross_minor,
    house_minor as house_gross_minor
from sale
where kind = 'sale'
