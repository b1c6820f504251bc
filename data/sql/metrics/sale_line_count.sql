-- one row per group and currency
-- title: Number of sale lines
-- unit: count
-- from: revenue
-- roles: executive admin analyst partner
-- definition: How many sale lines of any kind the period and filters hold.
select group_1, group_2, group_3, currency, cast(sum(lines) as bigint) as sale_line_count
from revenue
group by group_1, group_2, group_3, currency
