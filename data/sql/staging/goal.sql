-- one row per metric, month and currency
select t.id, t.metric, t.month, t.target, t.currency
from goal as t
