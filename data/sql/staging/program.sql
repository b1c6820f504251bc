-- one row per program
select t.id, t.code, t.name, t.currency, t.timezone, t.status, t.created_at
from program as t
