-- one row per referral code or coupon
select t.id, t.code, t.partner_id, t.kind, t.campaign, t.use_limit, t.uses, t.status, t.expires_at, t.created_at
from referral_code as t
