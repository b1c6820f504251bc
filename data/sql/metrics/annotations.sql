-- one row per note on a business day
-- title: Annotations
-- unit: rows
-- from: notes
-- roles: executive admin analyst
-- answer: note_day
-- definition: What people wrote on business days, such as a launch or an outage.
select business_day as note_day, label
from notes
where not retired
order by business_day
