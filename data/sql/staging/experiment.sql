-- one row per experiment
select t.id, t.code, t.name, t.unit, cast(t.variants as text) as variants, t.metric, t.status, t.started_at, t.ended_at
from experiment as t
