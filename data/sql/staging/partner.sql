-- one row per partner
select t.id, t.code, t.group_id, t.program_id, t.name, t.type, t.status, t.region, coalesce(t.country, '') as country, t.share_bps, t.created_at
from partner as t
