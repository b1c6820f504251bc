-- one row per customer, without name and address: those stay in the record
select t.id, t.source, t.organization_id, t.partner_id, t.country, t.created_at
from customer as t
