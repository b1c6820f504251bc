-- one row per note on a business day
select t.id, t.business_day, t.label, t.retired
from annotation as t
