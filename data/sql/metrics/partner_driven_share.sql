-- one row per group and currency
-- title: Partner-driven share
-- unit: ratio
-- from: revenue
-- roles: executive admin analyst
-- definition: Net revenue of sale lines with a partner, over all net revenue.
select
    group_1, group_2, group_3, currency,
    cast(coalesce(sum(net_minor) filter (where partner_id is not null), 0) as double precision)
        / nullif(cast(sum(net_minor) as double precision), 0) as partner_driven_share
from revenue
group by group_1, group_2, group_3, currency
