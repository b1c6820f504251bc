-- one row per click on a referral link
select t.id, t.source, t.source_id, t.referral_code_id, t.partner_id, t.visitor, t.at, t.business_day
from click as t
