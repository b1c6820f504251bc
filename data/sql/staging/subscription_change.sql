-- one row per change of a subscription
select
    t.id, t.source, t.source_id, t.subscription, t.customer_id, t.organization_id, t.partner_id,
    t.plan, t.amount_minor, t.discount_minor, t.currency, t."interval", t.interval_count, t.status,
    t.at, t.business_day, t.paid_until
from subscription_change as t
