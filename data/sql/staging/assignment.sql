-- one row per experiment and unit
select t.id, t.experiment_id, t.unit, t.variant, t.at
from assignment as t
