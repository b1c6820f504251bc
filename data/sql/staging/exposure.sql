-- one row per exposure of a unit
select t.id, t.experiment_id, t.unit, t.variant, t.at
from exposure as t
