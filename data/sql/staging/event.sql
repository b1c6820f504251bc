-- one row per event of a unit
select
    t.id, t.source, t.source_id, t.unit_user, t.unit_account, t.partner_id, t.customer_id, t.session,
    t.event, cast(t.properties as text) as properties, t.ordinal,
    t.at, t.business_day
from event as t
