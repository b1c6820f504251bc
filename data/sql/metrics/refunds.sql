-- one row per group and currency
-- title: Refunds
-- unit: money
-- from: revenue
-- roles: executive admin analyst partner
-- good: down
-- definition: Refunds, disputes and disputes won, each on its own business day; negative money.
select group_1, group_2, group_3, currency, cast(sum(refunds_minor) as bigint) as refunds
from revenue
group by group_1, group_2, group_3, currency
