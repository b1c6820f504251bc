-- one row per group and currency
-- title: Gross revenue
-- unit: money
-- from: revenue
-- roles: executive admin analyst partner
-- definition: The sum of sale lines, after discount and before tax, before anything is taken back.
select group_1, group_2, group_3, currency, cast(sum(gross_minor) as bigint) as gross_revenue
from revenue
group by group_1, group_2, group_3, currency
