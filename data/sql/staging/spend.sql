-- one row per amount spent on acquisition
select t.id, t.source, t.source_id, t.partner_id, t.channel, t.campaign, t.region, t.amount_minor, t.currency, t.house_minor, t.house_minor is not null as has_rate, t.business_day
from spend as t
