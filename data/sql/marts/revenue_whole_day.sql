-- one row per business day, currency and whether its rate is known: revenue_day without its partners
select
    business_day,
    currency,
    has_rate,
    cast(sum(lines) as bigint) as lines,
    cast(sum(gross_minor) as bigint) as gross_minor,
    cast(sum(refunds_minor) as bigint) as refunds_minor,
    cast(sum(net_minor) as bigint) as net_minor,
    cast(sum(house_gross_minor) as bigint) as house_gross_minor,
    cast(sum(house_refunds_minor) as bigint) as house_refunds_minor,
    cast(sum(house_net_minor) as bigint) as house_net_minor
from revenue_day
group by business_day, currency, has_rate
