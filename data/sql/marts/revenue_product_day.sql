-- one row per business day, product (with its category), currency and whether its rate is known
select
    business_day,
    product,
    category,
    currency,
    has_rate,
    count(*) as lines,
    cast(coalesce(sum(amount_minor) filter (where kind = 'sale'), 0) as bigint) as gross_minor,
    cast(coalesce(sum(amount_minor) filter (where kind in ('refund', 'dispute', 'dispute_won')), 0) as bigint) as refunds_minor,
    cast(sum(amount_minor) as bigint) as net_minor,
    cast(coalesce(sum(house_minor) filter (where kind = 'sale'), 0) as bigint) as house_gross_minor,
    cast(coalesce(sum(house_minor) filter (where kind in ('refund', 'dispute', 'dispute_won')), 0) as bigint) as house_refunds_minor,
    cast(coalesce(sum(house_minor), 0) as bigint) as house_net_minor
from sale
group by business_day, product, category, currency, has_rate
