-- one row per group of partners
select t.id, t.code, t.name, t.created_at
from partner_group as t
