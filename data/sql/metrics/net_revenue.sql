-- one row per group and currency
-- title: Net revenue
-- unit: money
-- from: revenue
-- roles: executive admin analyst partner
-- definition: Sales less refunds and disputes, with adjustments: the sum of all kinds of sale lines, each on its own business day.
select group_1, group_2, group_3, currency, cast(sum(net_minor) as bigint) as net_revenue
from revenue
group by group_1, group_2, group_3, currency
