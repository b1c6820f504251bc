-- one row per group and currency
-- title: Acquisition spend
-- unit: money
-- from: spending
-- roles: executive admin analyst
-- good: none
-- definition: What was spent on winning customers, by day and channel.
select group_1, group_2, group_3, currency, cast(sum(amount_minor) as bigint) as acquisition_spend
from spending
group by group_1, group_2, group_3, currency
