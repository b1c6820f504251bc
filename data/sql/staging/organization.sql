-- one row per organization
select t.id, t.source, t.source_id, t.partner_id, t.name, t.plan, t.region, t.created_at
from organization as t
