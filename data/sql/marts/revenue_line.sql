-- one row per sale line, in the columns of the revenue marts; a view, for questions that no narrower mart answers
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
    1 as lines,
    case when kind = 'sale' then amount_minor else 0 end as gross_minor,
    case when kind in ('refund', 'dispute', 'dispute_won') then amount_minor else 0 end as refunds_minor,
    amount_minor as net_minor,
    case when kind = 'sale' then house_minor else 0 end as house_gross_minor,
    case when kind in ('refund', 'dispute', 'dispute_won') then house_minor else 0 end as house_refunds_minor,
    house_minor as house_net_minor
from sale
