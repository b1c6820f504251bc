-- one row per sale line
select
    t.id, t.source, t.order_id, t.line_no, t.refunds, t.customer_id, t.organization_id, t.partner_id,
    t.kind, t.amount_minor, t.currency, t.house_minor, t.house_minor is not null as has_rate, cast(t.quantity as double precision) as quantity,
    t.attribution, t.product, t.category, t.plan, t.region, t.country, t.channel,
    t.at, t.business_day
from sale as t
